"""The mail that tells the customer of a refund, in the transaction that carries it out, for stores that want it."""

from sqlalchemy import Connection, select

from db.schema.statuses import MailKind, RefundResult
from db.schema.telling_tables import mail_text
from services.access import Author
from services.mail.addresses import why_not_mailable
from services.mail.customer_texts import MailText, RefundText, built_in, fill
from services.mail.languages import language_of, money_in
from services.mail.outbox import queue_written
from services.mail.server_state import find_utf8_for
from services.order_actions.history import Event, add_event
from services.order_actions.locking import LockedOrder
from services.refunds.decided import Refund
from services.refunds.plans import RefundedItem
from services.settings import settings
from services.text.links import safe_link


def tell_customer(connection: Connection, author: Author, order: LockedOrder, refund: Refund) -> bool:
    """Queue the mail to the customer; whether one was queued.

    The history gets its line when the mail server has accepted the message, as for a licence. A customer whose data
    was deleted, or whose address takes no mail, is not told, and the history says so at once.
    """
    if not order.refund_mail:
        return False
    if reason := _why_not(connection, order):
        add_event(connection, author, order, Event.CUSTOMER_NOT_TOLD, reason=reason)
        return False
    kind = RefundText.FULL if refund.result is RefundResult.FULL else RefundText.PARTIAL
    language = language_of(order.locale)
    text = _find_text(connection, order.checkout_page_id, kind, language)
    queue_written(
        connection,
        kind=MailKind.CUSTOMER_REFUND,
        to_address=order.email or "",
        to_name=order.customer_name,
        written=fill(text, _values(order, refund, language), language=language),
        order_id=order.order_id,
        store_id=order.checkout_page_id,
        account_id=author.account_id,
    )
    return True


def _why_not(connection: Connection, order: LockedOrder) -> str | None:
    if order.customer_erased:
        return "The customer's data was deleted."
    if not order.email:
        return "The order has no e-mail address."
    return why_not_mailable(order.email, find_utf8_for(connection, [order.email]))


def _find_text(connection: Connection, store_id: int, kind: RefundText, language: str) -> MailText:
    """The store's own text, else the built-in one."""
    row = connection.execute(
        select(mail_text.c.subject, mail_text.c.body).where(
            mail_text.c.checkout_page_id == store_id,
            mail_text.c.kind == kind,
            mail_text.c.language == language,
        )
    ).one_or_none()
    return built_in(kind, language) if row is None else MailText(row.subject, row.body)


def _values(order: LockedOrder, refund: Refund, language: str) -> dict[str, str]:
    return {
        "order": order.order_name,
        "sum": money_in(language, refund.amount, refund.currency),
        "items": "\n".join(_line(item, refund.currency, language) for item in refund.items),
        "customer": order.customer_name or "",
        "order_page": safe_link(order.detail_url) or f"{settings().web.base_url}/o/{order.page_key}",
        "store": order.store_title or order.store,
    }


def _line(item: RefundedItem, currency: str, language: str) -> str:
    """An item with its quantity, which a part by amount has none of."""
    quantity = "" if item.quantity is None else f" × {item.quantity}"
    return f"{' '.join(item.name.split())}{quantity} – {money_in(language, item.amount, currency)}"
