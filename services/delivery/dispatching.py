"""Deliveries of events: at least once under one ID, in the order of each order's own events, several at a time.

One thread does all the work on the database, in rounds of short transactions: it records what came of attempts, then
begins new ones. Each attempt has a thread of its own, which only speaks to the other side. A connection belongs to one
worker at a time (services/delivery/lane_locks.py), and none gets more than its share of threads: a shop that is slow or
away holds up no other.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from db.connections.engine import jobs_transaction
from db.errors import SqlState, sqlstate
from services.delivery.due import WEBHOOKS, DueDelivery, Lane, find_due, find_lanes, hold_back
from services.delivery.lane_locks import LaneLocks
from services.delivery.outcomes import Attempt, Fate, put_off, record, record_simple, settle_unsent
from services.delivery.sending import Sender
from services.delivery.sources import Rest
from services.executors.interface import TryLater

log = logging.getLogger("esupport.worker")

# Attempts at the same time: in all, to one shop, and to an executor or a shop whose last attempt failed.
_MOST_AT_ONCE: Final = 100
_PER_SHOP: Final = 16
_WITH_CARE: Final = 1
# How long a worker that was told to stop waits for the answers that are still to come. What is not recorded by then is
# delivered again.
_LAST_SECONDS: Final = 5.0
_TIDIED_EVERY_SECONDS: Final = 1.0
_BUSY_PAUSE: Final = 0.2
_BUSY: Final = (SqlState.LOCK_NOT_AVAILABLE, SqlState.DEADLOCK_DETECTED)


class Dispatcher:
    """The deliveries of one process. Its methods are called from one thread; `wake` is told when a round is needed."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.fates: Final[Counter[Fate]] = Counter()
        self._wake: Final = wake
        self._sender: Final = Sender()
        self._locks: Final = LaneLocks()
        self._under_way: Final[dict[int, DueDelivery]] = {}
        self._answered: Final[SimpleQueue[Attempt]] = SimpleQueue()
        self._unrecorded: list[Attempt] = []
        self._troubled: Final[dict[int, bool]] = {}
        self._tidied: Final[dict[int, float]] = {}

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way after a round."""
        return not self._under_way

    def round(self) -> None:
        """Record what came of attempts, and begin those that are due."""
        self._record()
        self._begin()

    def close(self) -> None:
        """Wait a few seconds for the answers that are still to come, then give all connections back."""
        deadline = time.monotonic() + _LAST_SECONDS
        try:
            while self._under_way and time.monotonic() < deadline:
                self._record()
                time.sleep(0.02)
        except SQLAlchemyError as error:
            log.warning("What came of the last deliveries is not recorded: %s", type(error).__name__)
        finally:
            self._locks.close()
            self._sender.close()

    def _record(self) -> None:
        attempts, self._unrecorded = self._unrecorded, []
        while True:
            try:
                attempts.append(self._answered.get_nowait())
            except Empty:
                break
        simple = [one for one in attempts if one.is_simple]
        try:
            if simple:
                with jobs_transaction() as connection:
                    fates = record_simple(connection, simple)
                self._done(simple, fates)
                attempts = [one for one in attempts if not one.is_simple]
            while attempts:
                self._record_with_care(attempts[0])
                attempts.pop(0)
        finally:
            self._unrecorded += attempts  # by a round to come: the database was away

    def _record_with_care(self, one: Attempt) -> None:
        try:
            with jobs_transaction() as connection:
                fate = record(connection, one)
        except OperationalError as error:
            if sqlstate(error) not in _BUSY:
                raise
            self._unrecorded.append(one)  # somebody holds the order: by a round to come
            return
        except Exception:  # a defect of ours, over which no other delivery must wait
            log.exception("What came of delivery %s could not be processed.", one.due.id)
            with jobs_transaction() as connection:
                fate = put_off(connection, one.due)
        self._done([one], [fate])

    def _done(self, attempts: Sequence[Attempt], fates: Sequence[Fate | None]) -> None:
        for one, fate in zip(attempts, fates, strict=True):
            del self._under_way[one.due.id]
            self._troubled[one.due.connection_id] = isinstance(one.outcome, TryLater)
            if fate is not None:
                self.fates[fate] += 1

    def _begin(self) -> None:
        self._locks.check()
        begun: list[DueDelivery] = []
        with jobs_transaction() as connection:
            lanes = find_lanes(connection)
            for lane in lanes:
                begun += self._due_of(connection, lane, len(begun))
        busy = {due.connection_id for due in (*self._under_way.values(), *begun)}
        for connection_id in self._locks.held - busy - {lane.connection_id for lane in lanes}:
            self._troubled.pop(connection_id, None)
            self._tidied.pop(connection_id, None)
            self._locks.release(connection_id)
        for due in begun:
            self._under_way[due.id] = due
            threading.Thread(
                target=self._attempt, args=(due,), name=f"delivery {due.id}", daemon=True
            ).start()

    def _due_of(self, connection: Connection, lane: Lane, begun: int) -> list[DueDelivery]:
        """The deliveries that may begin on a connection now."""
        own = [due.id for due in self._under_way.values() if due.connection_id == lane.connection_id]
        is_troubled = self._troubled.get(lane.connection_id, lane.is_troubled)
        share = _PER_SHOP if lane.kind == WEBHOOKS and not is_troubled else _WITH_CARE
        limit = min(share - len(own), _MOST_AT_ONCE - len(self._under_way) - begun)
        if limit <= 0 or not self._locks.claim(lane.connection_id):
            return []
        if time.monotonic() - self._tidied.get(lane.connection_id, 0.0) > _TIDIED_EVERY_SECONDS:
            hold_back(connection, lane)
            self._tidied[lane.connection_id] = time.monotonic()
        # A new statement, which sees what the worker before us has recorded.
        found = find_due(connection, lane, limit=limit, under_way=own)
        for due in found:
            if due.is_given_up:
                settle_unsent(connection, due)
        return [due for due in found if not due.is_given_up]

    def _attempt(self, due: DueDelivery) -> None:
        self._answered.put(Attempt(due, self._sender.attempt(due)))
        self._wake()


class DeliverySource:
    """Deliveries as a source of work; `alarm` wakes the source."""

    table: Final = "delivery"

    def __init__(self, alarm: threading.Event) -> None:
        self._dispatcher: Final = Dispatcher(alarm.set)

    def round(self, stop: threading.Event) -> Rest:
        self._dispatcher.round()
        return Rest()

    def close(self) -> None:
        self._dispatcher.close()


def deliver_due(stop: threading.Event | None = None) -> Counter[Fate]:
    """Deliver what is due until nothing is or `stop` is set; how many attempts ended how."""
    alarm = threading.Event()
    dispatcher = Dispatcher(alarm.set)
    try:
        while not (stop and stop.is_set()):
            alarm.clear()
            dispatcher.round()
            if dispatcher.is_idle:
                break
            alarm.wait(_BUSY_PAUSE)
    finally:
        dispatcher.close()
    return dispatcher.fates
