"""Digests to refund operators: what is new in the queue and what has waited too long, for each who wants to know.

A digest is due by a row of the database, which the worker that writes it locks: with several workers each digest is
written once, in the transaction that says when the next one is due (decision 038).
"""

import logging
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, any_, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Integer

from db.connections.engine import jobs_transaction
from db.schema.account_tables import account
from db.schema.order_tables import checkout_page, orders
from db.schema.refund_tables import refund_request
from db.schema.statuses import MailKind, RefundStatus
from db.schema.telling_tables import refund_digest
from services.access import Permission, Role
from services.delivery.sources import Rest
from services.mail.outbox import queue_mail
from services.money import format_money
from services.refunds.digest import Every, next_digest
from services.refunds.queue import overdue_at
from services.refunds.requests import OPEN
from services.settings import settings

log = logging.getLogger("esupport.worker")
_LOOK_EVERY_SECONDS: Final = 20.0
# Transactions take up to half a minute, and a request has the time at which its own began.
_LAG: Final = timedelta(minutes=1)
_MOST_LISTED: Final = 20


class DigestSource:
    """Digests that are due, as a source of work."""

    table: Final = "refund_digest"

    def round(self, stop: threading.Event) -> Rest:
        write_due_digests(stop)
        return Rest(_LOOK_EVERY_SECONDS)

    def close(self) -> None:
        """Nothing is under way between two rounds."""


def write_due_digests(stop: threading.Event | None = None) -> int:
    """Write every digest that is due; the number of messages that were queued."""
    queued = 0
    while not (stop and stop.is_set()):
        with jobs_transaction() as connection:
            due = connection.execute(
                select(refund_digest)
                .where(refund_digest.c.next_at <= func.now())
                .order_by(refund_digest.c.next_at)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).one_or_none()
            if due is None:
                return queued
            queued += _write(connection, due)
    return queued


class _Listed(NamedTuple):
    """A request as a digest lists it."""

    order_name: str
    store: str
    total: Decimal
    currency: str
    requested_at: datetime
    is_new: bool
    is_overdue: bool


def _write(connection: Connection, due: Row[*tuple[object, ...]]) -> bool:
    """Queue one person's digest, unless there is nothing new; say when the next is due."""
    now: datetime = connection.execute(select(func.now())).scalar_one()
    until = now - _LAG
    person = connection.execute(
        select(account.c.email, account.c.name, account.c.role, account.c.time_zone).where(
            account.c.id == due.account_id, account.c.disabled_at.is_(None)
        )
    ).one_or_none()
    zone = due.time_zone if person is None or person.time_zone is None else person.time_zone
    next_at = next_digest(Every(due.every), due.hour, zone, now=now)
    connection.execute(
        update(refund_digest)
        .where(refund_digest.c.account_id == due.account_id)
        .values(next_at=next_at, told_until=func.greatest(due.told_until, until))
    )
    if person is None or Role(person.role) not in Permission.WORK_REFUND_QUEUE.roles:
        return False
    stores: Sequence[int] = connection.execute(
        text("SELECT account_page_ids(:id)"), {"id": due.account_id}
    ).scalar_one()
    waiting = _find_waiting(connection, stores, since=due.told_until, until=until)
    new = [request for request in waiting if request.is_new]
    overdue = [request for request in waiting if request.is_overdue]
    if not new and not overdue:
        return False
    number = connection.execute(
        select(func.count())
        .select_from(refund_request)
        .where(_in_stores(stores), refund_request.c.status == RefundStatus.REQUESTED)
    ).scalar_one()
    queue_mail(
        connection,
        kind=MailKind.REFUND_DIGEST,
        to_address=person.email,
        to_name=person.name,
        template_values={
            "name": person.name,
            "summary": _summary(len(new), len(overdue)),
            "waiting": f"{number:,} {'request waits' if number == 1 else 'requests wait'} to be taken.",
            "new": _lines(new, now),
            "overdue": _lines(overdue, now),
            "queue": f"{settings().web.base_url}/refund_queue",
            "profile": f"{settings().web.base_url}/profile",
        },
        account_id=due.account_id,
    )
    return True


def _find_waiting(
    connection: Connection, stores: Sequence[int], *, since: datetime, until: datetime
) -> list[_Listed]:
    """Open requests that have come, or have become overdue, after `since` and up to `until`; oldest first."""
    requested_at, limit_at = refund_request.c.requested_at, overdue_at()
    is_new = (requested_at > since) & (requested_at <= until)
    is_overdue = func.coalesce((limit_at > since) & (limit_at <= until), False)
    rows = connection.execute(
        select(
            orders.c.order_name,
            checkout_page.c.name.label("store"),
            orders.c.total,
            orders.c.currency,
            requested_at,
            is_new.label("is_new"),
            is_overdue.label("is_overdue"),
        )
        .select_from(refund_request)
        .join(orders, orders.c.order_id == refund_request.c.order_id)
        .join(checkout_page, checkout_page.c.id == refund_request.c.checkout_page_id)
        .where(_in_stores(stores), refund_request.c.status.in_(OPEN), or_(is_new, is_overdue))
        .order_by(requested_at, refund_request.c.id)
    )
    return [_Listed(*row) for row in rows]


def _in_stores(stores: Sequence[int]) -> ColumnElement[bool]:
    return refund_request.c.checkout_page_id == any_(literal(list(stores), ARRAY(Integer)))


def _summary(new: int, overdue: int) -> str:
    parts = ([f"{new:,} new"] if new else []) + ([f"{overdue:,} overdue"] if overdue else [])
    return ", ".join(parts)


def _lines(requests: Sequence[_Listed], now: datetime) -> str:
    """A line per request, without anything that a customer or a specialist wrote."""
    lines = [
        f"{request.order_name}, {request.store}, {format_money(request.total, request.currency)}, "
        f"waiting for {_age(now - request.requested_at)}"
        for request in requests[:_MOST_LISTED]
    ]
    if len(requests) > _MOST_LISTED:
        lines.append(f"and {len(requests) - _MOST_LISTED:,} more")
    return "\n".join(lines)


def _age(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"
