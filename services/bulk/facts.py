"""What is known of the orders that many are to be acted on: enough for every rule, in few statements."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from db.schema.bulk_states import BulkKind
from db.statements import bulk
from services.events.awaiting import OPEN_STATES
from services.mail.addresses import Utf8
from services.mail.server_state import find_utf8_for
from services.order_actions.subscriptions import shows_subscription

_ON_RENEWALS = (BulkKind.CANCEL_RENEWAL, BulkKind.RESUME_RENEWAL)


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """An activation code; `is_live` when it was not deleted, neither itself nor with a copy of it."""

    id: int
    is_live: bool


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """The subscription of the item at `position`, which the order's page shows."""

    position: int
    type: str
    status: str
    is_awaited: bool


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """An order with what the rule of one kind of action looks at; the rest of the sequences is empty.

    `requests` are (status, result) of its refund requests; `utf8` is whether the mail server takes its e-mail.
    """

    order_id: int
    order_name: str
    status: str
    total: Decimal
    currency: str
    paid_at: datetime | None
    customer_erased: bool
    email: str | None
    delivery_allowed: bool
    refund_again_after_partial: bool
    utf8: Utf8
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    codes: list[CodeFacts] = field(default_factory=list)
    subscriptions: list[SubscriptionFacts] = field(default_factory=list)


def find_facts(connection: Connection, order_ids: Sequence[int], kind: BulkKind) -> dict[int, OrderFacts]:
    """By order ID, those of the orders that the viewer may see; two or three statements, however many there are."""
    named = {"order_ids": list(order_ids)}
    rows = connection.execute(bulk.orders_statement(), named).all()
    sends = kind is BulkKind.RESEND_LICENCES
    utf8 = find_utf8_for(connection, [row.email for row in rows]) if sends else Utf8.TAKEN
    facts = {row.order_id: OrderFacts(**row._mapping, utf8=utf8) for row in rows}
    if kind is BulkKind.REQUEST_REFUND:
        for request in connection.execute(bulk.requests_statement(), named):
            facts[request.order_id].requests.append((request.status, request.result))
    elif sends:
        _add_codes(connection, named, facts)
    elif kind in _ON_RENEWALS:
        for part in connection.execute(bulk.subscriptions_statement(tuple(OPEN_STATES)), named):
            order = facts[part.order_id]
            if shows_subscription(part.type, part.parent_order_id, part.order_id, order.paid_at is not None):
                order.subscriptions.append(
                    SubscriptionFacts(part.position, part.type, part.status, part.is_awaited)
                )
    return facts


def _add_codes(connection: Connection, named: dict[str, list[int]], facts: dict[int, OrderFacts]) -> None:
    rows = connection.execute(bulk.codes_statement(), named).all()
    deleted: defaultdict[int, set[str]] = defaultdict(set)
    for row in rows:
        if row.deleted:
            deleted[row.order_id].add(row.code_key)
    for row in rows:
        is_dead = row.deleted or (row.refunded and row.code_key in deleted[row.order_id])
        facts[row.order_id].codes.append(CodeFacts(row.id, not is_dead))
