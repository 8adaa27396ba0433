"""A running export: its file name, its row in the audit log, its progress, and the request to cancel it.

Each export has a row in `export_run`, which is never written in the export's own transaction, so that other connections
see its progress. The row contains numbers and states, nothing that was searched for or matched.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, Update, and_, case, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from db.schema.audit_actions import AuditAction
from db.schema.order_tables import order_item, orders
from db.schema.portal_tables import export_run
from db.statements.conditions import matching
from services.access import Viewer
from services.audit import recording
from services.exports.columns import ExportRows, columns_of
from services.orders.filters import OrderFilter
from services.orders.search import count_orders, stores_in_scope

SILENT_AFTER: Final = 30  # seconds without a sign of life, after which the server that sent it must have died


class RunState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class ExportStopped(Exception):
    """Raised inside an export whose cancellation was requested, to end it where it is."""


@dataclass(frozen=True, slots=True)
class ExportRun:
    """An export and its progress. `rows_estimated` is None until it is known; `refusal` says why it was not made."""

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


def file_name(order_filter: OrderFilter, rows: ExportRows, zone: ZoneInfo, *, now: datetime) -> str:
    """The file's name without its ending: today, the days, statuses and stores of the search, the time zone.

    Nothing in it identifies a person who was searched for.
    """
    typed = order_filter.typed
    parts = ["orders" if rows is ExportRows.ORDER else "order-items", f"{now.astimezone(zone):%Y-%m-%d}"]
    for label, since, until in (
        ("created", typed.created_from, typed.created_to),
        ("paid", typed.paid_from, typed.paid_to),
    ):
        if since or until:
            parts.append(f"{label}-{since or ''}..{until or since}")
    parts += [*sorted(typed.statuses), *typed.stores, zone.key]
    name = "_".join(parts).replace("/", "-").replace(" ", "-")
    return "".join(c for c in name if c.isalnum() or c in "-_.")[:150]


def record_export(
    connection: Connection,
    viewer: Viewer,
    order_filter: OrderFilter,
    *,
    rows: ExportRows,
    address: str | None,
    ending: str = "csv",
    titles: Collection[str] = (),
) -> None:
    """Write the audit row, in a transaction of its own, before the first row leaves: an interrupted export is an export
    as well.
    """
    # The fields that were searched by, never their values: those are personal data.
    details: dict[str, object] = {
        "rows": rows,
        "format": ending,
        "fields": sorted(order_filter.typed.filled()),
        "columns": [column.title for column in columns_of(rows, titles)] if titles else "all",
    }
    recording.record(connection, viewer, AuditAction.EXPORT_ORDERS, address=address, details=details)


def begin_run(
    connection: Connection, viewer: Viewer, run_id: UUID | None, *, rows: ExportRows, ending: str
) -> UUID:
    """Enter an export and return its ID: the one that the page made, or a new one if there is none or it is taken (when
    a browser fetches the same address again).
    """
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
    """Enter how many rows the export will have: counted where a search counts to the end, otherwise the planner's
    estimate.
    """
    run = find_run(connection, viewer, run_id)
    if run is None:
        return
    count = count_orders(connection, viewer, order_filter) if run.rows is ExportRows.ORDER else None
    if count is None or count.is_more:
        values = {
            "rows_estimated": _guess(connection, viewer, order_filter, run.rows),
            "is_exact": False,
        }
    else:
        values = {"rows_estimated": count.number, "is_exact": True}
    connection.execute(update(export_run).where(export_run.c.id == run_id).values(values))


def _guess(connection: Connection, viewer: Viewer, order_filter: OrderFilter, rows: ExportRows) -> int:
    """The number of rows that the planner expects, corrected for the scope.

    Row-level security asks for the viewer's stores while the statement runs, so the planner assumes an arbitrary share
    of every table for them, besides the stores that the statement itself names. How wrong that share is shows where
    nothing is filtered.
    """
    by_item = rows is ExportRows.ITEM
    # Without the export's join to the names of the stores, of which the planner would assume an arbitrary share as
    # well.
    everything = select(orders.c.order_id)
    if by_item:
        everything = everything.join_from(orders, order_item, order_item.c.order_id == orders.c.order_id)
    matches = everything.where(matching(order_filter.values, stores_in_scope(viewer, order_filter)))
    in_table: float = connection.execute(
        text("SELECT reltuples FROM pg_class WHERE oid = to_regclass(:name)"),
        {"name": "order_item" if by_item else "orders"},
    ).scalar_one()
    expected = _expected(connection, matches)
    if in_table <= 0:  # never analysed
        return expected
    return min(round(expected * in_table / _expected(connection, everything)), int(in_table))


def _expected(connection: Connection, statement: Select[int]) -> int:
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {compiled}", compiled.params).scalar_one()
    return max(1, int(plan[0]["Plan"]["Plan Rows"]))


def touch_run(
    connection: Connection, viewer: Viewer, run_id: UUID, *, rows_sent: int, bytes_sent: int
) -> bool:
    """Record the export's progress and return whether to go on: False once its cancellation was requested.

    It is False as well when the row is no longer visible because the account was disabled.
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
    """Record how the export ended; an end that was recorded earlier stays."""
    values = {"state": state.value, "rows_sent": rows_sent, "bytes_sent": bytes_sent, "refusal": refusal}
    connection.execute(_running(run_id).values(values | {"finished_at": func.now()}))


def request_cancel(connection: Connection, viewer: Viewer, run_id: UUID) -> None:
    """Request the end of one of the viewer's own exports; the server that sends it looks about once per second."""
    connection.execute(_running(run_id).values(cancel_requested=True))


def find_run(connection: Connection, viewer: Viewer, run_id: UUID) -> ExportRun | None:
    """One of the viewer's own exports. One that was not touched for 30 seconds has failed, whatever its row says."""
    is_silent = export_run.c.touched_at < func.now() - text(f"interval '{SILENT_AFTER} seconds'")
    state = case(
        (and_(export_run.c.state == RunState.RUNNING.value, is_silent), RunState.FAILED.value),
        else_=export_run.c.state,
    )
    row = connection.execute(
        select(
            export_run.c.id,
            export_run.c.row_kind,
            export_run.c.format,
            state.label("state"),
            export_run.c.rows_estimated,
            export_run.c.is_exact,
            export_run.c.rows_sent,
            export_run.c.bytes_sent,
            export_run.c.cancel_requested,
            export_run.c.refusal,
        ).where(export_run.c.id == run_id)
    ).one_or_none()
    if row is None:
        return None
    return ExportRun(
        id=run_id,
        rows=ExportRows(row.row_kind),
        format=row.format,
        state=RunState(row.state),
        rows_estimated=row.rows_estimated,
        is_exact=row.is_exact,
        rows_sent=row.rows_sent,
        bytes_sent=row.bytes_sent,
        cancel_requested=row.cancel_requested,
        refusal=row.refusal,
    )


def _running(run_id: UUID) -> Update:
    return update(export_run).where(export_run.c.id == run_id, export_run.c.state == RunState.RUNNING.value)
