"""Demo orders: the same ones for the same seed and day, showing between them all that an order can be.

Orders go round the stores and, within a store, round the scenarios, oldest first; so each store has each scenario
once in every `ROUND` orders.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from db.schema.statuses import MainStatus
from services.demo.customers import make_customer, make_payment
from services.demo.draft import Document, OrderDraft
from services.demo.items import make_items
from services.demo.papers import add_mail_lines, make_documents
from services.demo.renewals import make_relations


@dataclass(frozen=True, slots=True)
class DemoOrder:
    """An order document with the state of its refund for the portal's own tables.

    `refund` is the end of the scenario's name (requested, updating, partial, full, refused, failed), None without a
    refund; the times are those of the refund's steps.
    """

    document: Document
    refund: str | None
    requested_at: datetime
    taken_at: datetime
    closed_at: datetime


def demo_orders(count: int, *, seed: int, today: date) -> Iterator[DemoOrder]:
    """`count` orders in the `DAYS` days before today (UTC), oldest first."""
    end = datetime.combine(today, time(), tzinfo=UTC)
    for index in range(count):
        yield _make_order(OrderDraft(index, count, seed, end))


def _make_order(draft: OrderDraft) -> DemoOrder:
    refund = draft.scenario.removeprefix("refund-") if draft.scenario.startswith("refund-") else None
    customer = make_customer(draft)
    draft.add_line(draft.created, "status", "The order has been created. Status: Not paid")
    items = make_items(draft, customer)
    total = sum((Decimal(item["amount"]) for item in items), Decimal(0))
    status = _make_status(draft, customer, items)
    document: Document = {
        "order_id": draft.order_id(draft.index),
        "order_name": draft.order_name(draft.index),
        "order_id_1c": f"ALS-{draft.order_id(draft.index) % 10_000_000:07}",
        "checkout_page": draft.store,
        "status": status,
        "create_date": draft.created.isoformat(),
        "pay_date": draft.paid.isoformat() if draft.is_paid else None,
        "currency": draft.country.currency,
        "total": str(total),
        "locale": draft.country.locale,
        "customer": customer,
        "payment": make_payment(draft) if draft.is_paid else None,
        "items": items,
        "additional_data": _make_additional_data(draft),
        "related_orders": make_relations(draft),
        "documents": make_documents(draft, total),
    }
    if draft.scenario == "own-page":
        document["order_detail_url"] = f"https://shop.example/orders/{draft.order_name(draft.index)}"
    if draft.scenario == "erased":
        document["customer"] = {"type": "physical", "country": draft.country.code, "erased": True}
        draft.add_line(
            min(draft.paid + timedelta(days=9), draft.end), "anonymization", "Personal data anonymize"
        )
    document["history"] = sorted(draft.history, key=lambda event: event["date"])
    return DemoOrder(document, refund, draft.requested, draft.taken, draft.closed)


def _make_status(draft: OrderDraft, customer: Document, items: list[Document]) -> MainStatus:
    """The main status, with the history lines of the way to it."""
    status = MainStatus.PAID if draft.is_paid else MainStatus.NOT_PAID
    if draft.is_paid:
        draft.add_line(draft.paid, "status", "The order has been paid. Status: Paid")
        add_mail_lines(draft, customer, items)
    if draft.scenario in ("cancelled", "terminated"):
        status = MainStatus.DELETED if draft.scenario == "cancelled" else MainStatus.TERMINATED
        draft.add_line(draft.created + timedelta(hours=20), "status", f"Status: {status.label}")
    return MainStatus.DELETED if draft.scenario == "refund-full" else status


def _make_additional_data(draft: OrderDraft) -> list[Document]:
    return [
        {"name": "utm_source", "value": draft.rng.choice(["newsletter", "search", "partner-17"])},
        {"name": "Operating system", "value": draft.rng.choice(["Windows 11", "macOS 15", "Linux"])},
    ]
