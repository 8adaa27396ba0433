"""The audit log as administrators read it. `services.audit.recording` writes it."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, func, select

from db.schema.audit_actions import AuditAction
from db.schema.portal_tables import audit_log
from services.access import Viewer, require_administrator
from services.audit import recording
from services.errors import InvalidInput, NotFound
from services.sealed_values import seal, unseal
from services.spreadsheets import escape_formula
from services.text.fields import FieldError
from services.text.keys import digits_of, strip_edges
from services.time_zones import day_start, find_time_zone, parse_day

PAGE: Final = 50
_BATCH: Final = 2_000  # rows that are fetched at a time
_PURPOSE: Final = "export of the audit log"
_SEALED_SECONDS: Final = 86_400
_PIECE: Final = 65_536  # bytes, about


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """A search of the audit log, narrowed by each field. `account`: part of an e-mail; days: in `zone`, inclusive."""

    zone: ZoneInfo
    account: str = ""
    action: str | None = None
    order_id: int | None = None
    since: date | None = None
    until: date | None = None
    refused_only: bool = False


def read_audit_filter(asked: Mapping[str, str], *, zone: ZoneInfo | None = None) -> AuditFilter:
    """Parse what was typed into each field; raises `InvalidInput` for the first field that cannot be read.

    Fields: account, action ("" for all), order, since, until, refused (anything but "" for refused ones only), and zone
    where it is not given.
    """
    zone = zone or find_time_zone(asked.get("zone")) or ZoneInfo("UTC")
    order = strip_edges(asked.get("order", ""))
    digits = digits_of(order) or ""
    if order and (not digits or len(digits) > 18):
        raise InvalidInput("An order is looked for by its number.", field="order")
    days: dict[str, date | None] = {}
    for name in ("since", "until"):
        try:
            days[name] = parse_day(asked.get(name, ""))
        except FieldError as error:
            raise InvalidInput(str(error), field=name) from error
    wanted = AuditFilter(
        zone,
        account=asked.get("account", ""),
        action=asked.get("action") or None,
        order_id=int(digits) if digits else None,
        since=days["since"],
        until=days["until"],
        refused_only=bool(asked.get("refused")),
    )
    if wanted.since and wanted.until and wanted.until < wanted.since:
        raise InvalidInput("The end date is before the start date.", field="until")
    return wanted


def seal_audit_filter(viewer: Viewer, asked: Mapping[str, str], *, zone: ZoneInfo) -> str:
    """The search as it was typed, sealed for the address of the viewer's export: nobody else can read or use it."""
    return seal(
        {"account_id": viewer.account_id, "asked": dict(asked) | {"zone": zone.key}}, purpose=_PURPOSE
    )


def open_audit_filter(viewer: Viewer, sealed: str) -> AuditFilter:
    """Open a search that was sealed for this viewer within the last day; raises `NotFound` for anything else."""
    content = unseal(sealed, purpose=_PURPOSE, seconds=_SEALED_SECONDS)
    if content["account_id"] != viewer.account_id:
        raise NotFound
    return read_audit_filter(content["asked"])


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A row of the audit log: who did what, when, from where. `at` is aware."""

    id: int
    at: datetime
    account_id: int | None
    account_email: str | None
    action: str
    order_id: int | None
    address: str | None
    succeeded: bool
    details: Mapping[str, object]

    @property
    def details_text(self) -> str:
        return ", ".join(f"{name}: {_plain(value)}" for name, value in self.details.items())


def find_audit(
    connection: Connection,
    viewer: Viewer,
    wanted: AuditFilter,
    *,
    before: int | None = None,
    limit: int = PAGE,
) -> tuple[AuditRow, ...]:
    """Rows, newest first; `before` (an ID) continues where a page ended. Raises `NotAllowed`, `InvalidInput`."""
    require_administrator(viewer)
    statement = _statement(wanted).limit(limit)
    if before is not None:
        statement = statement.where(audit_log.c.id < before)
    return tuple(AuditRow(**row) for row in connection.execute(statement).mappings())


def find_actions(connection: Connection, viewer: Viewer) -> tuple[str, ...]:
    """The actions that occur in the log, sorted. Raises `NotAllowed`."""
    require_administrator(viewer)
    # A skip scan, one step per action: the log is long and its actions are few.
    actions: list[str] = []
    while True:
        statement = select(func.min(audit_log.c.action))
        if actions:
            statement = statement.where(audit_log.c.action > actions[-1])
        following = connection.execute(statement).scalar_one()
        if following is None:
            return tuple(actions)
        actions.append(following)


def export_audit(
    connection: Connection,
    viewer: Viewer,
    wanted: AuditFilter,
    *,
    on_rows: Callable[[int], None] = lambda _: None,
) -> Iterator[bytes]:
    """All rows that match as CSV, in pieces, as they come from the database. Raises as `find_audit` does.

    `on_rows` is told how many rows are written, and may raise to stop.
    """
    require_administrator(viewer)
    statement = _statement(wanted)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")  # so that Excel reads it as UTF-8
    writer.writerow(["time (UTC)", "account", "action", "order", "address", "succeeded", "details"])
    rows = 0
    result = connection.execution_options(stream_results=True, yield_per=_BATCH).execute(statement)
    for row in result.mappings():
        writer.writerow(_csv_cells(AuditRow(**row)))
        rows += 1
        if buffer.tell() > _PIECE:
            on_rows(rows)
            yield _emptied(buffer)
    on_rows(rows)
    yield _emptied(buffer)


def _csv_cells(row: AuditRow) -> list[object]:
    texts = [row.account_email or "", row.action, str(row.order_id or ""), row.address or ""]
    details = json.dumps(row.details, ensure_ascii=False)
    return [
        f"{row.at:%Y-%m-%dT%H:%M:%SZ}",
        *map(escape_formula, texts),
        row.succeeded,
        escape_formula(details),
    ]


def _emptied(buffer: io.StringIO) -> bytes:
    piece = buffer.getvalue().encode("utf-8", "replace")
    buffer.seek(0)
    buffer.truncate()
    return piece


def record_audit_export(
    connection: Connection, viewer: Viewer, wanted: AuditFilter, *, address: str | None
) -> None:
    """Record in the log itself that the viewer exports it, and which part. Raises `NotAllowed`."""
    require_administrator(viewer)
    asked = {"account": strip_edges(wanted.account), "action": wanted.action, "order": wanted.order_id}
    days = {"since": wanted.since and str(wanted.since), "until": wanted.until and str(wanted.until)}
    details = {name: value for name, value in (asked | days).items() if value}
    recording.record(connection, viewer, AuditAction.EXPORT_AUDIT_LOG, address=address, details=details)


# Any: the columns are those of `AuditRow`, more than a type can list.
def _statement(wanted: AuditFilter) -> Select[Any]:
    if wanted.since and wanted.until and wanted.until < wanted.since:
        raise InvalidInput("The end date is before the start date.", field="until")
    statement = select(*(audit_log.c[name] for name in AuditRow.__slots__)).order_by(audit_log.c.id.desc())
    if email_part := strip_edges(wanted.account):
        statement = statement.where(
            func.strpos(func.fold(audit_log.c.account_email), func.fold(email_part)) > 0
        )
    if wanted.action is not None:
        statement = statement.where(audit_log.c.action == wanted.action)
    if wanted.order_id is not None:
        statement = statement.where(audit_log.c.order_id == wanted.order_id)
    if wanted.since is not None:
        statement = statement.where(audit_log.c.at >= day_start(wanted.since, wanted.zone))
    if wanted.until is not None:
        statement = statement.where(audit_log.c.at < day_start(wanted.until + timedelta(days=1), wanted.zone))
    if wanted.refused_only:
        statement = statement.where(audit_log.c.succeeded.is_(False))
    return statement


def _plain(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return " ".join(f"{name}={_plain(part)}" for name, part in value.items())
    return {True: "yes", False: "no", None: "none"}[value] if isinstance(value, bool | None) else str(value)
