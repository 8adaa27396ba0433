"""The texts of refund mails to customers, for administrators: per store and language, with a preview."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from db.schema.audit_actions import AuditAction
from db.schema.order_tables import checkout_page
from db.schema.telling_tables import mail_text
from services.access import Viewer, require_administrator
from services.actions import ActionResult, action
from services.errors import InvalidInput, NotFound
from services.mail.customer_texts import (
    MailText,
    RefundText,
    WrittenMail,
    built_in,
    checked_mail_text,
    fill,
)
from services.mail.languages import LANGUAGES, money_in
from services.settings import settings

_ITEMS: Final = (("Antivirus Pro", 1, Decimal("49.00")), ("VPN Plus", 3, Decimal("1185.50")))
_SAMPLE_KEY: Final = "0e4b8f6c-3f0d-4d52-9a3a-2f1c5d7b9e10"


class TextNotFound(NotFound):
    message = "There is no such checkout page."


@dataclass(frozen=True, slots=True)
class StoreText:
    """The text that customers of a store get; `is_own`: the store has one of its own."""

    text: MailText
    is_own: bool


def find_texts(
    connection: Connection, viewer: Viewer, store_id: int
) -> Mapping[tuple[RefundText, str], StoreText]:
    """The texts of a store by kind and language: all that there are. Raises `NotAllowed`."""
    require_administrator(viewer)
    rows = connection.execute(select(mail_text).where(mail_text.c.checkout_page_id == store_id))
    own = {(RefundText(row.kind), row.language): MailText(row.subject, row.body) for row in rows}
    return {
        key: StoreText(own.get(key) or built_in(*key), key in own)
        for key in ((kind, language) for kind in RefundText for language in LANGUAGES)
    }


def preview_text(
    connection: Connection,
    viewer: Viewer,
    store_id: int,
    *,
    kind: RefundText,
    language: str,
    subject: str,
    body: str,
) -> WrittenMail:
    """The message for an order made up for this. Raises as `change_text` does."""
    store = _check(connection, viewer, store_id, language)
    items = _ITEMS if kind is RefundText.FULL else _ITEMS[1:]
    values = {
        "order": "A0012345678",
        "sum": money_in(language, sum((amount for _, _, amount in items), Decimal(0)), "EUR"),
        "items": "\n".join(
            f"{name} × {quantity} – {money_in(language, amount, 'EUR')}" for name, quantity, amount in items
        ),
        "customer": "Luís Gonçalves",
        "order_page": f"{settings().web.base_url}/o/{_SAMPLE_KEY}",
        "store": store.title or store.name,
    }
    return fill(checked_mail_text(kind, subject=subject, body=body), values, language=language)


@action(AuditAction.CHANGE_MAIL_TEXT)
def change_text(
    connection: Connection,
    viewer: Viewer,
    store_id: int,
    *,
    kind: RefundText,
    language: str,
    subject: str,
    body: str,
) -> ActionResult:
    """Set a store's text. Raises `NotAllowed`, `TextNotFound`, and `InvalidInput` as `checked_mail_text` does."""
    store = _check(connection, viewer, store_id, language)
    text = checked_mail_text(kind, subject=subject, body=body)
    values = {"subject": text.subject, "body": text.body}
    connection.execute(
        insert(mail_text)
        .values(checkout_page_id=store_id, kind=kind, language=language, **values)
        .on_conflict_do_update(
            index_elements=["checkout_page_id", "kind", "language"],
            set_=values | {"changed_at": func.now()},
        )
    )
    return ActionResult(
        f"The text was saved: {kind.label}, {LANGUAGES[language]}, of {store.name}.",
        {"store": store.name, "kind": kind.value, "language": language, "subject": text.subject},
    )


@action(AuditAction.RESET_MAIL_TEXT)
def reset_text(
    connection: Connection, viewer: Viewer, store_id: int, *, kind: RefundText, language: str
) -> ActionResult:
    """Go back to the built-in text. Raises `NotAllowed`, `TextNotFound`, `InvalidInput` (field `language`)."""
    store = _check(connection, viewer, store_id, language)
    connection.execute(
        delete(mail_text).where(
            mail_text.c.checkout_page_id == store_id,
            mail_text.c.kind == kind,
            mail_text.c.language == language,
        )
    )
    return ActionResult(
        f"The built-in text is used again: {kind.label}, {LANGUAGES[language]}, of {store.name}.",
        {"store": store.name, "kind": kind.value, "language": language},
    )


class _Store(NamedTuple):
    name: str
    title: str | None


def _check(connection: Connection, viewer: Viewer, store_id: int, language: str) -> _Store:
    require_administrator(viewer)
    if language not in LANGUAGES:
        raise InvalidInput("There are no texts in this language.", field="language")
    store = connection.execute(
        select(checkout_page.c.name, checkout_page.c.title).where(checkout_page.c.id == store_id)
    ).one_or_none()
    if store is None:
        raise TextNotFound
    return _Store(*store)
