"""The audit log as administrators read it. `services.audit` writes it."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from db.tables import audit_log
from services import audit
from services.access import Viewer
from services.account_admin import check_administrator
from services.days import day_start
from services.errors import InvalidInput
from services.order_export import safe_text
from services.text_keys import strip_edges

PAGE: Final = 50
EXPORTED: Final = 100_000


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What is asked for; all of it together. `account` is any part of an e-mail; days are of `zone`, both inclusive."""

    zone: ZoneInfo
    account: str = ""
    action: str | None = None
    order_id: int | None = None
    since: date | None = None
    until: date | None = None
    refused_only: bool = False


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what, when, from where. `at` is aware."""

    id: int
    at: datetime
    account_id: int | None
    account_email: str | None
    action: str
    order_id: int | None
    address: str | None
    succeeded: bool
    details: dict[str, Any]

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
    """Rows, newest first; `before` (an ID) goes on where a page ended. Raises `NotAllowed`, `InvalidInput`."""
    check_administrator(viewer)
    statement = _statement(wanted).limit(limit)
    if before is not None:
        statement = statement.where(audit_log.c.id < before)
    return tuple(AuditRow(*row) for row in connection.execute(statement))


def find_actions(connection: Connection, viewer: Viewer) -> tuple[str, ...]:
    """The actions that the log knows, sorted. Raises `NotAllowed`."""
    check_administrator(viewer)
    # A skip scan, one step an action: the log is long and its actions are few.
    found: list[str] = []
    while True:
        statement = select(func.min(audit_log.c.action))
        if found:
            statement = statement.where(audit_log.c.action > found[-1])
        following = connection.execute(statement).scalar_one()
        if following is None:
            return tuple(found)
        found.append(following)


def export_audit(connection: Connection, viewer: Viewer, wanted: AuditFilter) -> Iterator[str]:
    """The same rows as CSV, at most the newest 100,000, in pieces. Raises as `find_audit` does."""
    check_administrator(viewer)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["time (UTC)", "account", "action", "order", "address", "succeeded", "details"])
    for row in connection.execute(_statement(wanted).limit(EXPORTED)):
        one = AuditRow(*row)
        cells = [one.account_email or "", one.action, one.order_id or "", one.address or ""]
        words = json.dumps(one.details, ensure_ascii=False)
        writer.writerow(
            [
                f"{one.at:%Y-%m-%dT%H:%M:%SZ}",
                *map(safe_text, map(str, cells)),
                one.succeeded,
                safe_text(words),
            ]
        )
        if buffer.tell() > 65_536:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def record_audit_export(
    connection: Connection, viewer: Viewer, wanted: AuditFilter, *, address: str | None
) -> None:
    """Records in the log itself that somebody takes it along, and which part. Raises `NotAllowed`."""
    check_administrator(viewer)
    asked = {"account": strip_edges(wanted.account), "action": wanted.action, "order": wanted.order_id}
    days = {"since": wanted.since and str(wanted.since), "until": wanted.until and str(wanted.until)}
    details = {name: value for name, value in (asked | days).items() if value}
    audit.record(connection, viewer, "export audit log", address=address, details=details)


def _statement(wanted: AuditFilter) -> Any:
    if wanted.since and wanted.until and wanted.until < wanted.since:
        raise InvalidInput("The last day is before the first.", field="until")
    statement = select(*(audit_log.c[name] for name in AuditRow.__slots__)).order_by(audit_log.c.id.desc())
    if words := strip_edges(wanted.account):
        statement = statement.where(func.strpos(func.fold(audit_log.c.account_email), func.fold(words)) > 0)
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


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return " ".join(f"{name}={_plain(one)}" for name, one in value.items())
    return {True: "yes", False: "no", None: "none"}[value] if isinstance(value, bool | None) else str(value)
