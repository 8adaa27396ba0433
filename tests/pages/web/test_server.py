"""The process that serves the pages."""

import subprocess
import sys

from tests.support.portal import PROJECT

# As `streamlit run pages/web/server.py` imports it: under its bare name, with its folder first.
_CHECKS = """
import sys
sys.path.insert(0, {pages!r})
import server
import profile
assert not profile.__file__.startswith({project!r}), profile.__file__
assert "/health" in [route.path for route in server._routes()]
"""


def test_the_server_shadows_no_module(database: str) -> None:
    checks = _CHECKS.format(pages=str(PROJECT / "pages" / "web"), project=str(PROJECT / "pages"))
    done = subprocess.run(
        [sys.executable, "-c", checks], cwd=PROJECT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
