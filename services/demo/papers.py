"""The mails and files that demo orders say were sent."""

import base64
from datetime import timedelta
from decimal import Decimal

from services.demo.draft import Document, OrderDraft
from services.demo.receipts import receipt_pdf


def add_mail_lines(draft: OrderDraft, customer: Document, items: list[Document]) -> None:
    email = "deleted" if draft.scenario == "erased" else customer.get("email")
    if email is None:
        draft.add_line(draft.paid, "error", "The payment confirmation was not sent: the order has no e-mail")
        return
    at = draft.paid + timedelta(seconds=40)
    draft.add_line(at, "email", f"Payment confirmation has been sent to {email}")
    if draft.scenario == "mail-error":
        text = f"Licence e-mail to {email} failed: 550 5.1.1 mailbox unavailable"
        draft.add_line(at + timedelta(minutes=1), "error", text)
    elif any(item.get("activation_codes") for item in items):
        draft.add_line(at + timedelta(minutes=1), "email", f"Licence e-mail has been sent to {email}")


def make_documents(draft: OrderDraft, total: Decimal) -> list[Document]:
    names = {
        "documents": ("invoice", "receipt"),
        "company": ("invoice",),
        "refund-full": ("invoice", "credit-note"),
    }
    files = []
    for title in names.get(draft.scenario, ()):
        name = f"{title}-{draft.order_name(draft.index)}.pdf"
        kind, at = ("refund", draft.closed) if title == "credit-note" else ("payment", draft.paid)
        lines = [draft.order_name(draft.index), f"{at:%Y-%m-%d}", f"{draft.country.currency} {total}"]
        content = receipt_pdf(title.replace("-", " ").capitalize(), lines)
        files.append({"name": name, "kind": kind, "content_base64": base64.b64encode(content).decode()})
        if kind == "refund":
            draft.add_line(draft.closed, "document", f"Refund document {name}")
    return files
