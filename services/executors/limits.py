"""Dry run, and how much may be paid back: what is asked before any executor sends something.

`options` of the connection: `dry_run`, `request_cap` (the largest single refund) and `day_cap` (the sum of a day, UTC,
over all refunds of the store). What a refund takes of the day is written down and committed before the provider is
called, under a lock of the store, so that workers cannot exceed the cap together. See docs/stripe.md.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select, text

from db.connections.engine import jobs_transaction
from db.schema.connection_tables import refund_reservation
from services.errors import InvalidInput
from services.events.event_types import EventType
from services.executors.interface import (
    Executor,
    Json,
    NothingToDo,
    NotSent,
    OutgoingEvent,
    Payment,
    Refused,
    Result,
    TryLater,
)
from services.executors.refund_wish import RefundWish, read_wish
from services.money import format_money
from services.money_limits import read_cap

# The events by which an action is carried out somewhere else.
_ACTS: Final = (EventType.REFUND_APPROVED, EventType.CANCEL_REQUESTED, EventType.RESUME_REQUESTED)
_REMEMBERED: Final = timedelta(days=30)
UNREADABLE_CAP: Final = "The connection's cap cannot be read; an administrator has to correct it."


@dataclass(frozen=True, slots=True)
class LimitedExecutor:
    """An executor that first looks at what its connection allows."""

    executor: Executor

    @property
    def title(self) -> str:
        return self.executor.title

    def can_refund(self, payment: Payment, options: Json) -> str | None:
        return self.executor.can_refund(payment, options)

    def send(self, outgoing: OutgoingEvent) -> Result:
        if is_dry_run(outgoing.options):
            is_act = outgoing.event in _ACTS
            return NotSent(_rehearsal(self.executor, outgoing)) if is_act else NothingToDo()
        if outgoing.event is not EventType.REFUND_APPROVED:
            return self.executor.send(outgoing)
        obstacle = _reserve(outgoing, read_wish(outgoing))
        if obstacle is not None:
            return obstacle
        result = self.executor.send(outgoing)
        if isinstance(result, Refused | NotSent):
            _release(outgoing)
        return result


def is_dry_run(options: Json) -> bool:
    """Whether nothing is sent at all. Anything but false, absent and empty counts as true."""
    return bool(options.get("dry_run"))


def why_above_cap(options: Json, amount: Decimal, currency: str, spent: Decimal) -> str | None:
    """The reason in a sentence why a refund of this sum cannot be sent today; None when it can.

    `spent` is what `spent_today` says.
    """
    return _why_never(options, amount, currency) or _why_not_today(options, amount, currency, spent)


def spent_today(connection: Connection, store_id: int, currency: str) -> Decimal:
    """The sum of the store's refunds in the currency that were first sent today (UTC), failed ones left out."""
    spent: Decimal = connection.execute(
        select(func.coalesce(func.sum(refund_reservation.c.amount), 0)).where(
            refund_reservation.c.checkout_page_id == store_id,
            refund_reservation.c.currency == currency,
            refund_reservation.c.reserved_at >= func.date_trunc("day", func.now(), "UTC"),
        )
    ).scalar_one()
    return Decimal(spent)


def _rehearsal(executor: Executor, outgoing: OutgoingEvent) -> str:
    if outgoing.event is not EventType.REFUND_APPROVED:
        return f"Dry run: nothing was sent to {executor.title}."
    wish = read_wish(outgoing)
    reason = executor.can_refund(wish.payment(outgoing), outgoing.options)
    reason = reason or _why_never(outgoing.options, wish.amount, wish.currency)
    if reason is not None:
        return f"Dry run: nothing was sent. {reason}"
    return (
        f"Dry run: {executor.title} would have been asked to pay back {wish.sum_text} of the payment "
        f"{wish.reference}. Nothing was sent."
    )


def _reserve(outgoing: OutgoingEvent, wish: RefundWish) -> NotSent | TryLater | None:
    """Take the refund's sum of what the store may pay back today, in a transaction of its own.

    A refund that was tried before has its part already, of the day of its first attempt.
    """
    with jobs_transaction() as connection:
        connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtext('esupport refund cap'), :store)"),
            {"store": outgoing.store_id},
        )
        taken = connection.execute(
            select(refund_reservation.c.action_id).where(refund_reservation.c.action_id == outgoing.action_id)
        ).first()
        if taken is not None:
            return None
        if reason := _why_never(outgoing.options, wish.amount, wish.currency):
            return NotSent(reason)
        spent = spent_today(connection, outgoing.store_id, wish.currency)
        if reason := _why_not_today(outgoing.options, wish.amount, wish.currency, spent):
            return TryLater(reason, retry_after=_seconds_until_tomorrow())
        connection.execute(
            insert(refund_reservation).values(
                action_id=outgoing.action_id,
                checkout_page_id=outgoing.store_id,
                currency=wish.currency,
                amount=wish.amount,
            )
        )
        connection.execute(
            delete(refund_reservation).where(refund_reservation.c.reserved_at < func.now() - _REMEMBERED)
        )
    return None


def _release(outgoing: OutgoingEvent) -> None:
    with jobs_transaction() as connection:
        connection.execute(
            delete(refund_reservation).where(refund_reservation.c.action_id == outgoing.action_id)
        )


def _why_never(options: Json, amount: Decimal, currency: str) -> str | None:
    """The reason why a refund of this sum is never sent, on whichever day."""
    try:
        caps = [read_cap(options.get(name)) for name in ("request_cap", "day_cap")]
    except InvalidInput:
        return UNREADABLE_CAP
    for cap, what in zip(caps, ("for one refund", "for a day"), strict=True):
        if cap is not None and amount > cap.of(currency):
            limit = format_money(cap.of(currency), currency)
            return f"{format_money(amount, currency)} is above the connection's cap {what}, {limit}."
    return None


def _why_not_today(options: Json, amount: Decimal, currency: str, spent: Decimal) -> str | None:
    """The reason why today's refunds leave no room for this one."""
    cap = read_cap(options.get("day_cap"))
    if cap is None or spent + amount <= cap.of(currency):
        return None
    left = max(cap.of(currency) - spent, Decimal(0))
    return (
        f"Today's cap of {format_money(cap.of(currency), currency)} leaves {format_money(left, currency)}: "
        f"{format_money(amount, currency)} can be paid back from 00:00 UTC."
    )


def _seconds_until_tomorrow() -> float:
    now = datetime.now(UTC)
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (tomorrow - now).total_seconds() + 1
