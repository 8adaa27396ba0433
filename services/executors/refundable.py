"""The outlook before *Fulfil*: who pays the money back, or why that is not possible."""

from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import Connection, select

from db.schema.connection_states import Topic
from db.schema.connection_tables import connection as connection_table
from db.schema.order_tables import orders
from services.events.awaiting import find_confirming, is_payment_provider, name_of_other_side
from services.executors.interface import Json, Payment
from services.executors.limits import is_dry_run, spent_today, why_above_cap
from services.executors.registry import find_executor
from services.refunds.plans import find_plan


@dataclass(frozen=True, slots=True)
class RefundOutlook:
    """The way in which a refund of an order is paid back.

    `executor` is the name of the provider that is asked, None when it is paid back by hand. `obstacle` is why nothing
    of the order can be paid back, `note` what there is to know. `kind` and `payment` are what the provider is asked
    with. `spent` is what the store has paid back today.
    """

    currency: str
    executor: str | None = None
    obstacle: str | None = None
    note: str | None = None
    options: Json | None = None
    spent: Decimal = Decimal(0)
    kind: str | None = None
    payment: Payment | None = None

    def why_not(self, amount: Decimal, *, has_parts: bool = False) -> str | None:
        """The reason in a sentence why this sum cannot be paid back now; None when it can.

        `has_parts` says whether it is for parts of lines.
        """
        if self.obstacle is not None or self.options is None:
            return self.obstacle
        executor = None if self.kind is None else find_executor(self.kind)
        if executor is not None and self.payment is not None:
            asked = replace(self.payment, amount=amount, has_parts=has_parts)
            reason = executor.can_refund(asked, self.options)
            if reason is not None:
                return reason
        return why_above_cap(self.options, amount, self.currency, self.spent)


def find_outlook(connection: Connection, order_id: int) -> RefundOutlook | None:
    """The outlook of a refund of an order in scope; None where no provider has to do with it, and for other orders."""
    order = connection.execute(
        select(
            orders.c.checkout_page_id,
            orders.c.payment_provider,
            orders.c.payment_reference,
            orders.c.currency,
            orders.c.total,
        ).where(orders.c.order_id == order_id)
    ).one_or_none()
    if order is None:
        return None
    confirming = find_confirming(
        connection, order.checkout_page_id, Topic.REFUNDS, payment_provider=order.payment_provider
    )
    executor = None if confirming is None else find_executor(confirming.kind)
    if confirming is None or executor is None:
        return _by_hand(connection, order.checkout_page_id, order.currency)
    options: Json = connection.execute(
        select(connection_table.c.options).where(connection_table.c.id == confirming.id)
    ).scalar_one()
    payment = Payment(
        order_id=order_id,
        store_id=order.checkout_page_id,
        provider=order.payment_provider,
        reference=order.payment_reference,
        currency=order.currency,
        total=order.total,
    )
    obstacle = executor.can_refund(payment, options) or _why_nothing_left(connection, order_id)
    note = f"{executor.title} is asked to pay this back. The request stays open until the answer is here."
    if is_dry_run(options):
        note = f"Dry run: nothing is sent to {executor.title}, and the request stays as it is."
    spent = spent_today(connection, order.checkout_page_id, order.currency)
    return RefundOutlook(
        order.currency, executor.title, obstacle, note, options, spent, confirming.kind, payment
    )


def why_not_refundable(connection: Connection, order_id: int, *, amount: Decimal | None = None) -> str | None:
    """The reason in a sentence why the order's provider cannot pay back `amount`, or the whole that is left.

    None when it can, and where no provider is asked.
    """
    outlook = find_outlook(connection, order_id)
    if outlook is None:
        return None
    if amount is None:
        plan = find_plan(connection, order_id)
        amount = Decimal(0) if plan is None else plan.sums.left
    return outlook.why_not(amount)


def _by_hand(connection: Connection, store_id: int, currency: str) -> RefundOutlook | None:
    """A note where the store has payment providers, but the order was not paid through one of them."""
    kinds = connection.scalars(
        select(connection_table.c.kind)
        .where(
            connection_table.c.checkout_page_id == store_id,
            connection_table.c.switched_off_at.is_(None),
            is_payment_provider(connection_table.c.kind),
        )
        .distinct()
        .order_by(connection_table.c.kind)
    ).all()
    if not kinds:
        return None
    names = " or ".join(map(name_of_other_side, kinds))
    note = f"The order was not paid with {names}, as far as the portal knows: nobody is asked to pay it back."
    return RefundOutlook(currency, note=note)


def _why_nothing_left(connection: Connection, order_id: int) -> str | None:
    plan = find_plan(connection, order_id)
    return None if plan is None or plan.sums.left > 0 else "Everything that was paid has been given back."
