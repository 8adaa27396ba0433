"""Runs as the worker carries them out: order by order, each in a transaction of its own.

The order is taken (`FOR UPDATE SKIP LOCKED`), the action done under the rights that the account has now, its history,
audit row and mails written, and the order marked as done, all in that one transaction. A worker that dies leaves the
order waiting and nothing of the action; several workers share a run without ever doing an order twice.
"""

import logging
import threading
import time
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import Connection, func, select, text, update
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from db.connections import roles
from db.connections.engine import act_for_run, jobs_connection, jobs_transaction, jobs_transaction_on
from db.errors import sqlstate, without_values
from db.schema.bulk_states import BulkKind, BulkOrderState, BulkState
from db.schema.bulk_tables import bulk_run, bulk_run_order
from db.statements import bulk
from services.access import Permission, Role, Viewer, get_viewer
from services.actions import ActionRequest, OrderBusy, is_busy, perform_within
from services.audit import recording
from services.bulk.actions import ACTIONS, arguments_of
from services.errors import SupportError

log = logging.getLogger("esupport.worker")

# Runs take turns, so that a short one does not wait for a long one.
_ORDERS_PER_TURN: Final = 25
_LONGEST_SECONDS: Final = 30
_MOST_ATTEMPTS: Final = 3
# From one order to the next: a little more than a hundred a second, with a pause in which people's clicks are served.
_PACE_SECONDS: Final = 0.0093
_SHORTEST_PAUSE: Final = 0.0005
MAY_NOT_ACT: Final = "The account may no longer act on orders."
DISABLED: Final = "The account was disabled."
UNEXPECTED: Final = "An unexpected error; the worker's log has it."


@dataclass(frozen=True, slots=True)
class _Run:
    """A run as the worker needs it."""

    id: int
    key: UUID
    account_id: int
    kind: BulkKind
    text: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class _Claim:
    """An order that this transaction has taken."""

    number: int
    order_id: int
    attempts: int


class _Ended(Exception):
    """The account may no longer act; the text is the sentence that says so."""


def work_due(stop: threading.Event | None = None) -> int:
    """Carry out what is due of all runs, until nothing is left or `stop` is set; how many orders were settled."""
    stop = stop or threading.Event()
    settled = 0
    while not stop.is_set():
        in_this_turn = sum(_turn(run, stop) for run in _find_running())
        if not in_this_turn:
            break
        settled += in_this_turn
    return settled


def _find_running() -> list[_Run]:
    with jobs_transaction() as connection:
        rows = connection.execute(
            select(
                bulk_run.c.id,
                bulk_run.c.key,
                bulk_run.c.account_id,
                bulk_run.c.kind,
                bulk_run.c.entered_text,
                bulk_run.c.address,
            )
            .where(bulk_run.c.state == BulkState.RUNNING)
            .order_by(bulk_run.c.id)
        )
        return [
            _Run(row.id, row.key, row.account_id, BulkKind(row.kind), row.entered_text, row.address)
            for row in rows
        ]


def _turn(run: _Run, stop: threading.Event) -> int:
    """Settle some orders of the run; how many. Ends the run when nothing is left of it."""
    viewer: Viewer | None = None
    with jobs_connection() as connection:
        for number in range(_ORDERS_PER_TURN):
            if stop.is_set():
                return number
            began = time.monotonic()
            try:
                with jobs_transaction_on(connection):
                    viewer = _settle_next(connection, run, viewer)
            except _Ended as ended:
                _end(run, str(ended))
                return number
            if viewer is None:
                with jobs_transaction_on(connection):
                    connection.execute(bulk.finish_statement(), {"run": run.id})
                return number
            stop.wait(max(began + _PACE_SECONDS - time.monotonic(), _SHORTEST_PAUSE))
    return _ORDERS_PER_TURN


def _settle_next(connection: Connection, run: _Run, viewer: Viewer | None) -> Viewer | None:
    """Take the next order of the run and act on it; None when none can be taken, else the acting account.

    `viewer` is that account as it was at an earlier order of this turn, for its name and e-mail: its rights are asked
    for anew, here and by the action.
    """
    row = connection.execute(bulk.claim_statement(), {"run": run.id}).one_or_none()
    if row is None:
        return None
    claim = _Claim(row.number, row.order_id, row.attempts)
    role = act_for_run(connection, run.id, longest_seconds=_LONGEST_SECONDS)
    if role is None or Role(role) not in Permission.ACT.roles:
        raise _Ended(DISABLED if role is None else MAY_NOT_ACT)
    if viewer is None or viewer.role != role:
        viewer = get_viewer(connection, run.account_id)
    state, reason = _act(connection, viewer, run, claim)
    if state is not BulkOrderState.DONE or reason is not None:
        connection.execute(text(f"SET LOCAL ROLE {roles.JOBS_ROLE}"))
        _note(connection, run, claim, state, reason)
    return viewer


def _act(
    connection: Connection, viewer: Viewer, run: _Run, claim: _Claim
) -> tuple[BulkOrderState, str | None]:
    """Act on the order and return its state with the sentence that says why. A refusal leaves its audit row."""
    action = ACTIONS[run.kind]
    request = ActionRequest(
        key=uuid5(run.key, str(claim.order_id)), address=run.address, order_id=claim.order_id, run_id=run.id
    )
    refusal: SupportError
    try:
        with connection.begin_nested():
            result = perform_within(
                connection, viewer, request, action, claim.order_id, **arguments_of(run.kind, run.text)
            )
        waits_for = result.details.get("waits for")
        return BulkOrderState.DONE, f"{waits_for} has to confirm it." if waits_for else None
    except SupportError as error:
        refusal = error
    except OperationalError as error:
        if not is_busy(error):
            raise
        if claim.attempts + 1 < _MOST_ATTEMPTS:
            return BulkOrderState.WAITING, None
        refusal = OrderBusy()
    except SQLAlchemyError as error:
        if sqlstate(error) is None:  # the connection is lost, and the order with it: it still waits
            raise
        log.error("Run %d, order %d: %s", run.id, claim.order_id, without_values(error))
        return BulkOrderState.FAILED, UNEXPECTED
    except Exception as error:  # a defect in one action must not hold up the other orders
        log.error("Run %d, order %d: %s", run.id, claim.order_id, without_values(error))
        return BulkOrderState.FAILED, UNEXPECTED
    recording.record(
        connection,
        viewer,
        action.audit_action,
        address=request.address,
        order_id=request.order_id,
        succeeded=False,
        details=request.details({"reason": str(refusal)}),
    )
    return BulkOrderState.REFUSED, str(refusal)


def _note(
    connection: Connection, run: _Run, claim: _Claim, state: BulkOrderState, reason: str | None
) -> None:
    is_settled = state is not BulkOrderState.WAITING
    connection.execute(
        update(bulk_run_order)
        .where(bulk_run_order.c.run_id == run.id, bulk_run_order.c.number == claim.number)
        .values(
            state=state,
            reason=reason and reason[:300],
            attempts=claim.attempts + 1,
            settled_at=func.now() if is_settled else None,
        )
    )


def _end(run: _Run, reason: str) -> None:
    """End the run without doing the orders that are left."""
    with jobs_transaction() as connection:
        connection.execute(
            update(bulk_run)
            .where(bulk_run.c.id == run.id, bulk_run.c.state == BulkState.RUNNING)
            .values(state=BulkState.ENDED, ended_because=reason, finished_at=func.now(), entered_text=None)
        )
