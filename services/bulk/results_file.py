"""The results of a run as a file: CSV that spreadsheets and pandas both read."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from db.schema.audit_actions import AuditAction
from services.access import Viewer
from services.audit import recording
from services.bulk.runs import OrderOutcome, find_outcomes
from services.spreadsheets import escape_formula


def export_results(
    connection: Connection, viewer: Viewer, run_id: int, *, zone: ZoneInfo, address: str | None
) -> bytes:
    """The results of a run of the viewer's, order by order, as CSV with a byte order mark; the audit log gets its row.

    Times are ISO 8601 in `zone`. Raises `RunNotFound`.
    """
    outcomes = find_outcomes(connection, viewer, run_id)
    details = {"rows": "results", "format": "csv", "run": run_id}
    recording.record(connection, viewer, AuditAction.EXPORT_ORDERS, address=address, details=details)
    return _csv(outcomes, zone)


def _csv(outcomes: Iterable[OrderOutcome], zone: ZoneInfo) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["Order ID", "Order", "Result", "Reason", "Time"])
    for outcome in outcomes:
        texts = [outcome.order_name, outcome.state.value, outcome.reason]
        writer.writerow([outcome.order_id, *map(escape_formula, texts), _time(outcome.settled_at, zone)])
    return ("\ufeff" + buffer.getvalue()).encode("utf-8", "replace")


def _time(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else at.astimezone(zone).isoformat(timespec="seconds")
