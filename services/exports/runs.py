"""How far an export is, for whoever waits for it, and the wish to cancel it.

A row of its own an export, written beside the export and never in its transaction, so that other connections see it
grow. It holds numbers and states, nothing of what was searched for or found.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Connection, Select, and_, case, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from db.schema.order_tables import order_item, orders
from db.schema.portal_tables import export_run
from db.statements.search import matching
from services.access import Viewer
from services.exports.csv_file import ExportRows
from services.orders.filters import OrderFilter, searched_values
from services.orders.search import count_orders, stores_in_scope

SILENT_AFTER: Final = 30  # seconds without a sign of life, after which the server that sent it must have died


class RunState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class ExportStopped(Exception):
    """Raised inside an export that somebody stopped, to end it where it is."""


@dataclass(frozen=True, slots=True)
class ExportRun:
    """An export and how far it is. `rows_estimated` is None until it is known; `refusal` says why it was not made."""

    id: UUID
    rows: ExportRows
    format: str
    state: RunState
    rows_estimated: int | None
    is_exact: bool
    rows_sent: int
    bytes_sent: int
    cancel_requested: bool
    refusal: str | None


def begin_run(
    connection: Connection, viewer: Viewer, run_id: UUID | None, *, rows: ExportRows, ending: str
) -> UUID:
    """Enters an export and returns its id: the one that the page made, or a new one where there is none or it is taken
    (a browser that fetches the same address again)."""
    for wanted in (run_id or uuid4(), uuid4()):
        statement = (
            insert(export_run)
            .values(id=wanted, account_id=viewer.account_id, row_kind=rows.value, format=ending)
            .on_conflict_do_nothing()
            .returning(export_run.c.id)
        )
        if connection.execute(statement).scalar_one_or_none() is not None:
            break
    return wanted


def estimate_run(connection: Connection, viewer: Viewer, run_id: UUID, order_filter: OrderFilter) -> None:
    """Enters how many rows the export will have: counted where a search counts to the end, else the planner's guess."""
    run = find_run(connection, viewer, run_id)
    if run is None:
        return
    number, is_exact = None, False
    if run.rows is ExportRows.ORDER:
        counted = count_orders(connection, viewer, order_filter)
        number, is_exact = (None, False) if counted.is_more else (counted.number, True)
    if number is None:
        number = _guess(connection, viewer, order_filter, run.rows)
    values = {"rows_estimated": number, "is_exact": is_exact}
    connection.execute(update(export_run).where(export_run.c.id == run_id).values(values))


def _guess(connection: Connection, viewer: Viewer, order_filter: OrderFilter, rows: ExportRows) -> int:
    """What the planner expects, set right for the scope.

    Row-level security asks for the viewer's stores while the statement runs, so the planner takes a blind share of
    every table for them, besides the stores that the statement names itself. How blind shows where nothing is filtered.
    """
    by_item = rows is ExportRows.ITEM
    # Without the export's join to the names of the stores, of which the planner would take a blind share as well.
    everything = select(orders.c.order_id)
    if by_item:
        everything = everything.join_from(orders, order_item, order_item.c.order_id == orders.c.order_id)
    found = everything.where(matching(searched_values(order_filter), stores_in_scope(viewer, order_filter)))
    known: float = connection.execute(
        text("SELECT reltuples FROM pg_class WHERE oid = to_regclass(:name)"),
        {"name": "order_item" if by_item else "orders"},
    ).scalar_one()
    expected = _expected(connection, found)
    if known <= 0:  # never analysed
        return expected
    return min(round(expected * known / _expected(connection, everything)), int(known))


def _expected(connection: Connection, statement: Select[Any]) -> int:
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {compiled}", compiled.params).scalar_one()
    return max(1, int(plan[0]["Plan"]["Plan Rows"]))


def touch_run(
    connection: Connection, viewer: Viewer, run_id: UUID, *, rows_sent: int, bytes_sent: int
) -> bool:
    """Writes down how far it is; whether to go on, which is False once somebody wants to cancel it.

    It is False as well when the row cannot be seen any more, because the account was disabled meanwhile.
    """
    statement = (
        _running(run_id)
        .values(rows_sent=rows_sent, bytes_sent=bytes_sent, touched_at=func.now())
        .returning(export_run.c.cancel_requested)
    )
    return connection.execute(statement).scalar_one_or_none() is False


def end_run(
    connection: Connection,
    viewer: Viewer,
    run_id: UUID,
    state: RunState,
    *,
    rows_sent: int,
    bytes_sent: int,
    refusal: str | None = None,
) -> None:
    """Writes down how it ended; the first end stays."""
    values = {"state": state.value, "rows_sent": rows_sent, "bytes_sent": bytes_sent, "refusal": refusal}
    connection.execute(_running(run_id).values(values | {"finished_at": func.now()}))


def request_cancel(connection: Connection, viewer: Viewer, run_id: UUID) -> None:
    """Asks for the end of one of the viewer's own exports; whoever sends it looks about once a second."""
    connection.execute(_running(run_id).values(cancel_requested=True))


def find_run(connection: Connection, viewer: Viewer, run_id: UUID) -> ExportRun | None:
    """One of the viewer's own exports. One that nobody touched for 30 seconds has failed, whatever its row says."""
    is_silent = export_run.c.touched_at < func.now() - text(f"interval '{SILENT_AFTER} seconds'")
    state = case(
        (and_(export_run.c.state == RunState.RUNNING.value, is_silent), RunState.FAILED.value),
        else_=export_run.c.state,
    )
    columns = (
        export_run.c[name]
        for name in ("rows_estimated", "is_exact", "rows_sent", "bytes_sent", "cancel_requested", "refusal")
    )
    found = connection.execute(
        select(export_run.c.row_kind, export_run.c.format, state.label("now"), *columns).where(
            export_run.c.id == run_id
        )
    ).one_or_none()
    if found is None:
        return None
    row_kind, ending, now, *rest = found
    return ExportRun(run_id, ExportRows(row_kind), ending, RunState(now), *rest)


def _running(run_id: UUID) -> Any:
    return update(export_run).where(export_run.c.id == run_id, export_run.c.state == RunState.RUNNING.value)
