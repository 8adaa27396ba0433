"""A test is run again only where it says so, and more than three reruns fail a run that went well otherwise."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.portal import PROJECT
from tests.support.reruns import MOST_RERUNS

pytestmark = pytest.mark.slow

_CONFTEST = "from tests.support.reruns import pytest_configure\n"
_TESTS = """
from pathlib import Path
import pytest
from tests.support.reruns import may_rerun

@pytest.mark.parametrize("number", range({number}))
@may_rerun("its first try fails")
def test_second_try(number):
    seen = Path(__file__).with_name(f"seen {{number}}")
    was_there = seen.exists()
    seen.touch()
    assert was_there
"""


def run(folder: Path, number: int, *options: str) -> subprocess.CompletedProcess[str]:
    """A run of so many tests, each of which fails once."""
    (folder / "conftest.py").write_text(_CONFTEST)
    (folder / "test_it.py").write_text(_TESTS.format(number=number))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
        "-c",
        "/dev/null",
    ]
    return subprocess.run(
        [*command, *options, str(folder)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_more_reruns_than_are_allowed_fail_the_run(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = run(tmp_path, MOST_RERUNS + 1, *options)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    assert "4 passed, 4 rerun" in done.stdout
    assert "4 reruns, and 3 are allowed: the run has failed." in done.stdout


def test_as_many_as_are_allowed_do_not(tmp_path: Path) -> None:
    done = run(tmp_path, MOST_RERUNS)
    assert done.returncode == pytest.ExitCode.OK, done.stdout
    assert "3 passed, 3 rerun" in done.stdout
    assert "the run has failed" not in done.stdout
