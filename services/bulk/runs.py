"""Runs: one kind of action on many orders, begun by a person, carried out by the worker, readable by that person."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Select, case, func, insert, select, update

from db.schema.audit_actions import AuditAction
from db.schema.bulk_states import BulkKind, BulkOrderState, BulkState
from db.schema.bulk_tables import bulk_run, bulk_run_order
from db.schema.order_tables import orders
from services.access import Viewer
from services.actions import ActionResult, action
from services.bulk.actions import entered_text
from services.bulk.preview import Preview, check_limit, require_role
from services.errors import InvalidInput, NotFound
from services.text.numbers import is_bigint

# For more orders than this, their number has to be typed.
CONFIRMED_FROM: Final = 50
NUMBER_DIFFERS: Final = "Please type the number of orders that will be changed: {number}."


class RunNotFound(NotFound):
    message = "There is no such run of yours."


@dataclass(frozen=True, slots=True)
class BulkRun:
    """A run of the viewer's and how far it is. `refused` counts the orders that a rule did not allow."""

    id: int
    kind: BulkKind
    state: BulkState
    stop_requested: bool
    ended_because: str | None
    order_count: int
    done: int
    refused: int
    failed: int
    started_at: datetime
    finished_at: datetime | None

    @property
    def is_running(self) -> bool:
        return self.state is BulkState.RUNNING

    @property
    def left(self) -> int:
        """The number of orders that nothing was done with, yet or at all."""
        return self.order_count - self.done - self.refused - self.failed


@dataclass(frozen=True, slots=True)
class OrderOutcome:
    """The result of an order. `order_name` is None when the viewer may no longer see it."""

    order_id: int
    order_name: str | None
    state: BulkOrderState
    reason: str | None
    settled_at: datetime | None


@action(AuditAction.START_BULK_RUN)
def start_run(
    connection: Connection,
    viewer: Viewer,
    preview: Preview,
    *,
    text: str = "",
    typed_number: str = "",
    address: str | None = None,
) -> ActionResult:
    """Begin a run over the orders that `preview` found able; the others are filed with their reasons, and not tried.

    `typed_number` must be the number of able orders when there are more than 50. `address` is where the person is, for
    the audit rows of the orders. Raises `NotAllowed`, and `InvalidInput` (fields `text`, `number`).
    """
    check_limit(require_role(connection), len(preview.able) + len(preview.unable))
    if not preview.able:
        raise InvalidInput("None of these orders can be changed like this.")
    if len(preview.able) > CONFIRMED_FROM and typed_number.strip().replace(",", "") != str(len(preview.able)):
        raise InvalidInput(NUMBER_DIFFERS.format(number=len(preview.able)), field="number")
    run_id: int = connection.execute(
        insert(bulk_run)
        .values(
            account_id=viewer.account_id,
            kind=preview.kind,
            entered_text=entered_text(preview.kind, text),
            address=address,
            order_count=len(preview.able) + len(preview.unable),
        )
        .returning(bulk_run.c.id)
    ).scalar_one()
    connection.execute(
        insert(bulk_run_order).inline(),
        [
            {"run_id": run_id, "number": number, "order_id": order_id}
            for number, order_id in enumerate(preview.able, 1)
        ],
    )
    if preview.unable:
        connection.execute(
            insert(bulk_run_order).inline().values(state=BulkOrderState.REFUSED, settled_at=func.now()),
            [
                {"run_id": run_id, "number": number, "order_id": order_id, "reason": reason[:300]}
                for number, (order_id, reason) in enumerate(preview.unable.items(), len(preview.able) + 1)
            ],
        )
    number = len(preview.able)
    return ActionResult(
        f"Started for {number:,} {'order' if number == 1 else 'orders'}.",
        {"run": run_id, "action": preview.kind, "orders": number, "left out": len(preview.unable)},
    )


@action(AuditAction.STOP_BULK_RUN)
def stop_run(connection: Connection, viewer: Viewer, run_id: int) -> ActionResult:
    """Let a run of the viewer's end before its next order; one that is over stays as it is. Raises `RunNotFound`."""
    if not is_bigint(run_id):
        raise RunNotFound
    stopped = connection.execute(
        update(bulk_run)
        .where(bulk_run.c.id == run_id, bulk_run.c.account_id == viewer.account_id)
        .values(stop_requested=True)
        .returning(bulk_run.c.id)
    ).first()
    if stopped is None:
        raise RunNotFound
    return ActionResult("The run stops after the order that is being changed.", {"run": run_id})


def find_runs(connection: Connection, viewer: Viewer, *, limit: int = 20) -> tuple[BulkRun, ...]:
    """The viewer's own runs, newest first, each with how far it is."""
    chosen = (
        select(bulk_run)
        .where(bulk_run.c.account_id == viewer.account_id)
        .order_by(bulk_run.c.id.desc())
        .limit(limit)
    )
    return tuple(_runs(connection, chosen))


def find_running(connection: Connection, viewer: Viewer) -> tuple[BulkRun, ...]:
    """Those of the viewer's runs that go on, newest first."""
    chosen = (
        select(bulk_run)
        .where(bulk_run.c.account_id == viewer.account_id, bulk_run.c.state == BulkState.RUNNING)
        .order_by(bulk_run.c.id.desc())
    )
    return tuple(_runs(connection, chosen))


def get_run(connection: Connection, viewer: Viewer, run_id: int) -> BulkRun:
    """One of the viewer's runs. Raises `RunNotFound`."""
    if is_bigint(run_id):
        chosen = select(bulk_run).where(bulk_run.c.id == run_id, bulk_run.c.account_id == viewer.account_id)
        for run in _runs(connection, chosen):
            return run
    raise RunNotFound


# Any: SQLAlchemy's type of a whole table's columns.
def _runs(connection: Connection, chosen: Select[tuple[object, ...]]) -> Iterator[BulkRun]:
    run = chosen.subquery("run")
    numbers = [
        func.count(case((bulk_run_order.c.state == state, 1))).label(state.value)
        for state in (BulkOrderState.DONE, BulkOrderState.REFUSED, BulkOrderState.FAILED)
    ]
    own = [run.c[name] for name in BulkRun.__slots__ if name in run.c]
    rows = connection.execute(
        select(*own, *numbers)
        .join(bulk_run_order, bulk_run_order.c.run_id == run.c.id)
        .group_by(*own)
        .order_by(run.c.id.desc())
    )
    for row in rows:
        values = dict(row._mapping) | {"kind": BulkKind(row.kind), "state": BulkState(row.state)}
        yield BulkRun(**values)


def find_outcomes(
    connection: Connection, viewer: Viewer, run_id: int, *, limit: int | None = None
) -> tuple[OrderOutcome, ...]:
    """The results of a run of the viewer's, order by order: those that were not done first, then the others.

    Raises `RunNotFound`.
    """
    get_run(connection, viewer, run_id)
    is_done = case((bulk_run_order.c.state == BulkOrderState.DONE, 1), else_=0)
    rows = connection.execute(
        select(
            bulk_run_order.c.order_id,
            orders.c.order_name,
            bulk_run_order.c.state,
            bulk_run_order.c.reason,
            bulk_run_order.c.settled_at,
        )
        .outerjoin(orders, orders.c.order_id == bulk_run_order.c.order_id)
        .where(bulk_run_order.c.run_id == run_id)
        .order_by(is_done, bulk_run_order.c.number)
        .limit(limit)
    )
    return tuple(
        OrderOutcome(row.order_id, row.order_name, BulkOrderState(row.state), row.reason, row.settled_at)
        for row in rows
    )
