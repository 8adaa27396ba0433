"""The sources of work that the worker serves, each in a thread of its own, so that none waits for another.

A source that is busy for long (a mail server that is away, a shop that takes its time) holds up only itself.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import psycopg
from sqlalchemy.exc import SQLAlchemyError

log = logging.getLogger("esupport.worker")

LOOK_EVERY_SECONDS: Final = 1.0
_LONGEST_AFTER_FAULT: Final = 30.0


@dataclass(frozen=True, slots=True)
class Rest:
    """The pause until a source's next round. `can_be_woken` is false while new work would change nothing."""

    seconds: float = LOOK_EVERY_SECONDS
    can_be_woken: bool = True


class Source(Protocol):
    """Work of one kind that is looked for again and again."""

    @property
    def table(self) -> str:
        """The table whose new rows are this source's work."""
        ...

    def round(self, stop: threading.Event) -> Rest:
        """Do what is due, until nothing is or `stop` is set."""
        ...

    def close(self) -> None:
        """End what is under way, within a few seconds."""
        ...


class Turns:
    """Runs the sources until it is told to stop, each at its own pace."""

    def __init__(self) -> None:
        self.stop: Final = threading.Event()
        self._alarms: Final[dict[str, threading.Event]] = {}
        self._threads: Final[list[threading.Thread]] = []

    def alarm(self, table: str) -> threading.Event:
        """The event that ends the pause of that table's source; it may be set before the source runs."""
        return self._alarms.setdefault(table, threading.Event())

    def wake(self, table: str) -> None:
        """End the pause of one source: there is work for it."""
        if alarm := self._alarms.get(table):
            alarm.set()

    def wake_all(self) -> None:
        for alarm in self._alarms.values():
            alarm.set()

    def end(self) -> None:
        """Let each source finish what it is doing, and then end."""
        self.stop.set()
        self.wake_all()

    def run(self, sources: Sequence[Source]) -> None:
        """Run the sources; return when all of them have ended."""
        for source in sources:
            thread = threading.Thread(target=self._run, args=(source,), name=source.table)
            self._threads.append(thread)
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()

    def _run(self, source: Source) -> None:
        alarm, fault_pause = self.alarm(source.table), 0.0
        try:
            while not self.stop.is_set():
                alarm.clear()
                try:
                    rest, fault_pause = source.round(self.stop), 0.0
                except (SQLAlchemyError, psycopg.Error) as error:
                    log.warning("The database does not answer: %s", getattr(error, "orig", None) or error)
                    fault_pause = next_pause(fault_pause, LOOK_EVERY_SECONDS, _LONGEST_AFTER_FAULT)
                    rest = Rest(fault_pause, can_be_woken=False)
                except Exception:  # a defect of ours, over which the other sources must not stand still
                    log.exception("A round over the table %s failed.", source.table)
                    fault_pause = next_pause(fault_pause, LOOK_EVERY_SECONDS, _LONGEST_AFTER_FAULT)
                    rest = Rest(fault_pause, can_be_woken=False)
                (alarm if rest.can_be_woken else self.stop).wait(rest.seconds)
        finally:
            source.close()


def next_pause(last: float, first: float, longest: float) -> float:
    """Pauses that double from `first` to `longest`."""
    return min(max(first, 2 * last), longest)
