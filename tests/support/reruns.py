"""Which tests may be run again after a failure, and how often that may happen in a whole run.

No test is run again by itself. One whose outcome hangs on a deadline that a busy machine can miss says so with
`may_rerun` and the reason. The reruns of a run are counted, over all its processes; more than `MOST_RERUNS` fail it,
so that a race of our own cannot hide behind them.
"""

from typing import Final

import pytest
from _pytest.terminal import TerminalReporter

MOST_RERUNS: Final = 3


def may_rerun(reason: str) -> pytest.MarkDecorator:
    """A mark: after a failure the test is run again, twice at most. `reason` names the deadline that can be missed."""
    assert reason
    return pytest.mark.flaky(reruns=2)


def pytest_configure(config: pytest.Config) -> None:
    # Only the process that hears of all tests counts: the workers' reports arrive there as well.
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Counter(), "rerun-counter")


class _Counter:
    def __init__(self) -> None:
        self._reruns: list[str] = []

    @property
    def _are_too_many(self) -> bool:
        return len(self._reruns) > MOST_RERUNS

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        outcome: str = report.outcome
        if outcome == "rerun":  # pytest-rerunfailures' own
            self._reruns.append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._are_too_many and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        if self._are_too_many:
            terminalreporter.write_line(
                f"{len(self._reruns)} reruns, and {MOST_RERUNS} are allowed: the run has failed.", red=True
            )
