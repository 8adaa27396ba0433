"""The process that serves the pages."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]

# As `streamlit run pages/web/server.py` imports it: under its bare name, with its folder first.
_CHECKS = """
import sys
sys.path.insert(0, {pages!r})
import server
import profile
from streamlit.runtime.pages_manager import PagesManager
assert not profile.__file__.startswith({project!r}), profile.__file__
assert PagesManager.uses_pages_directory is False
assert "/health" in [route.path for route in server._routes()]
assert str(server.app._resolve_script_path()) == {app!r}
"""


def test_the_server_shadows_no_module_and_lets_no_page_run_past_the_gate(database: str) -> None:
    checks = _CHECKS.format(
        pages=str(PROJECT / "pages" / "web"), project=str(PROJECT / "pages"), app=str(PROJECT / "app.py")
    )
    done = subprocess.run(
        [sys.executable, "-c", checks], cwd=PROJECT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
