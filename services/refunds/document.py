"""The refund document: a PDF for the payment methods whose bookkeeping asks for one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import regex
from fpdf import FPDF, FontFace
from sqlalchemy import Connection, insert, select

from db.schema.order_tables import checkout_page, order_document, payment_method
from db.schema.statuses import DocumentKind, Source
from services.access import Author
from services.money import format_money
from services.order_actions.history import Event, add_event
from services.order_actions.locking import LockedOrder
from services.pdf.pages import TextPages, plain_text
from services.refunds.plans import RefundedItem

_LINE: Final = 7  # millimetres
# A row must fit on a page, whatever the name is; a longer one goes on in the rows below.
_PART: Final = regex.compile(r"\X{1,300}").findall
_SHARED_OUT: Final = (
    "Amounts are those of the order's lines with their share of the discounts and charges of the whole order."
)


def refund_pdf(
    order: LockedOrder, items: Sequence[RefundedItem], *, request_id: int, now: datetime | None = None
) -> bytes:
    """One or more A4 pages that say what was paid back of which order. Days are those of UTC."""
    now = now or datetime.now(UTC)
    facts = [(label, plain_text(value)) for label, value in _facts(order, request_id, now)]
    names = [plain_text(item.name) for item in items]
    pdf = TextPages([*names, *(value for _, value in facts)])
    pdf.set_title(f"Refund {order.order_name}")
    pdf.creation_date = now
    pdf.set_margins(20, 22)
    pdf.add_page()
    pdf.set_font("text", size=18)
    pdf.cell(0, 12, "Refund document", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(3)
    pdf.set_font("text", size=10)
    for label, value in facts:
        pdf.set_text_color(91, 104, 120)
        pdf.cell(45, _LINE, label)
        pdf.set_text_color(0)
        pdf.multi_cell(0, _LINE, value, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(5)
    _table(pdf, order.currency, items, names)
    return bytes(pdf.output())


def _facts(order: LockedOrder, request_id: int, now: datetime) -> list[tuple[str, str]]:
    paid = f"{order.paid_at.astimezone(UTC):%Y-%m-%d}" if order.paid_at else "–"
    customer = [name for name in (order.company_name, order.customer_name) if name]
    return [
        ("Document", f"{order.order_name}-{request_id}"),
        ("Date", f"{now:%Y-%m-%d}"),
        ("Order", f"{order.order_name}, paid {paid}"),
        ("Payment method", order.payment_method or "–"),
        ("Customer", ", ".join(customer) or order.email or "–"),
        ("Shop", order.store_title or order.store),
    ]


def _table(pdf: FPDF, currency: str, items: Sequence[RefundedItem], names: Sequence[str]) -> None:
    with pdf.table(
        col_widths=(10, 95, 20, 45),
        text_align=("LEFT", "LEFT", "RIGHT", "RIGHT"),
        headings_style=FontFace(emphasis="", color=(91, 104, 120)),
        borders_layout="HORIZONTAL_LINES",
        line_height=_LINE,
    ) as table:
        table.row(("", "Refunded item", "Quantity", "Amount"))
        for item, name in zip(items, names, strict=True):
            first, *more = _PART(name) or [""]
            table.row((str(item.position), first, _quantity(item), format_money(item.amount, currency)))
            for part in more:
                table.row(("", part, "", ""))
        total = sum((item.amount for item in items), Decimal(0))
        table.row(("", "Total refunded", "", format_money(total, currency)))
    if any(item.amount != item.line for item in items):
        pdf.ln(3)
        pdf.set_font("text", size=8)
        pdf.set_text_color(91, 104, 120)
        pdf.multi_cell(0, 5, _SHARED_OUT, new_x="LMARGIN", new_y="NEXT")


def _quantity(item: RefundedItem) -> str:
    return "part" if item.quantity is None else str(item.quantity)


def add_refund_document(
    connection: Connection,
    author: Author,
    order: LockedOrder,
    items: Sequence[RefundedItem],
    *,
    request_id: int,
) -> int | None:
    """The refund document, with its history line, if the store or else the payment method asks for it."""
    of_page = connection.execute(
        select(checkout_page.c.refund_document_methods).where(checkout_page.c.id == order.checkout_page_id)
    ).scalar_one()
    if of_page is not None:
        is_needed: bool | None = order.payment_method in of_page
    else:
        is_needed = connection.execute(
            select(payment_method.c.refund_document_required).where(
                payment_method.c.name == order.payment_method
            )
        ).scalar_one_or_none()
    if not is_needed:
        return None
    name = f"refund-{order.order_name}-{request_id}.pdf"
    document_id: int = connection.execute(
        insert(order_document)
        .values(
            order_id=order.order_id,
            checkout_page_id=order.checkout_page_id,
            name=name,
            kind=DocumentKind.REFUND,
            media_type="application/pdf",
            content=refund_pdf(order, items, request_id=request_id),
            source=Source.PORTAL,
        )
        .returning(order_document.c.id)
    ).scalar_one()
    add_event(connection, author, order, Event.REFUND_DOCUMENT, document_id=document_id, name=name)
    return document_id
