"""Whether a refund operator is told of requests by mail, and when: everybody's own choice.

`services.delivery.digests` writes the messages.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from db.schema.telling_tables import refund_digest
from services.access import Permission, Viewer
from services.errors import InvalidInput
from services.time_zones import find_time_zone


class Every(StrEnum):
    """How often at most."""

    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class DigestChoice:
    """`hour` is that of a daily digest, in the person's time zone; None of an hourly one."""

    every: Every
    hour: int | None = None


def find_own_digest(connection: Connection, viewer: Viewer) -> DigestChoice | None:
    """The viewer's choice; None when it is off. Raises `NotAllowed`."""
    Permission.WORK_REFUND_QUEUE.require(viewer.role)
    row = connection.execute(
        select(refund_digest.c.every, refund_digest.c.hour).where(
            refund_digest.c.account_id == int(viewer.account_id)
        )
    ).one_or_none()
    return None if row is None else DigestChoice(Every(row.every), row.hour)


def set_own_digest(
    connection: Connection, viewer: Viewer, choice: DigestChoice | None, *, time_zone: str
) -> None:
    """Set the viewer's choice, None for off.

    `time_zone` is the one that the viewer's pages are shown in, for as long as the profile names no other. What comes
    from now on is told. Raises `NotAllowed`, `InvalidInput` (field `hour` or `time_zone`).
    """
    Permission.WORK_REFUND_QUEUE.require(viewer.role)
    account_id = int(viewer.account_id)
    if choice is None:
        connection.execute(delete(refund_digest).where(refund_digest.c.account_id == account_id))
        return
    if (choice.every is Every.DAY) != (choice.hour is not None) or choice.hour not in (None, *range(24)):
        raise InvalidInput("Choose an hour of the day.", field="hour")
    if find_time_zone(time_zone) is None:
        raise InvalidInput("There is no time zone of that name.", field="time_zone")
    now: datetime = connection.execute(select(func.now())).scalar_one()
    values = {
        "every": choice.every,
        "hour": choice.hour,
        "time_zone": time_zone,
        "next_at": next_digest(choice.every, choice.hour, time_zone, now=now),
    }
    connection.execute(
        insert(refund_digest)
        .values(account_id=account_id, **values)
        .on_conflict_do_update(index_elements=["account_id"], set_=values)
    )


def next_digest(every: Every, hour: int | None, time_zone: str, *, now: datetime) -> datetime:
    """The next full hour, or the next time that clocks of the zone show the hour."""
    if every is Every.HOUR:
        return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    zone = find_time_zone(time_zone) or ZoneInfo("UTC")
    local = now.astimezone(zone)
    for days in range(3):
        day = local.date() + timedelta(days=days)
        at = datetime(day.year, day.month, day.day, hour or 0, tzinfo=zone).astimezone(UTC)
        if at > now:
            return at
    raise AssertionError("unreachable")
