"""The messages of the inbox that a person is in, once the person is erased: no body holds them afterwards.

The body of a message that is settled is removed. One that waits is still to be merged, so only the person is taken out
of it: what is left is merged as a document of an erased customer.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import LargeBinary, Text

from services.privacy.known_values import Person, arrays
from services.privacy.mentions import Kind, Mentions, Value
from services.text.keys import email_key

_NOT_PERSONAL: Final = ("type", "country")
_PERSONAL_OF_PAYMENT: Final = ("card_last_4", "card_expiration_date")
# Of an order of the person's own.
_PERSONAL_OF_ORDER: Final = ("order_detail_url", "additional_data", "documents")


@dataclass(frozen=True, slots=True)
class Patterns:
    """Patterns of LIKE for the person's e-mails and phone numbers; `is_wide`: with letters beyond ASCII."""

    emails: list[str]
    numbers: list[str]
    is_wide: bool

    def parameters(self) -> dict[str, Any]:
        return {"emails": self.emails, "numbers": self.numbers, "wide": self.is_wide}


def find_messages(connection: Connection, patterns: Patterns, store_id: int | None) -> tuple[int, ...]:
    """The messages that may mention the person, of this store only if it is given."""
    statement = text("SELECT * FROM messages_mentioning(:emails, :numbers, :wide, :store)").bindparams(
        bindparam("emails", type_=ARRAY(Text)), bindparam("numbers", type_=ARRAY(Text))
    )
    return tuple(connection.execute(statement, patterns.parameters() | {"store": store_id}).scalars())


class MessageText(NamedTuple):
    """The body of a message of the inbox, as text."""

    order_id: int | None
    text: str


def read_bodies(connection: Connection, order_ids: Iterable[int], ids: Iterable[int]) -> list[MessageText]:
    """The bodies of the messages about these orders, and of those with these `ids`; for administrators alone."""
    statement = text("SELECT * FROM messages_of_person(:orders, :ids)").bindparams(*arrays("orders", "ids"))
    rows = connection.execute(statement, {"orders": sorted(order_ids), "ids": sorted(ids)})
    return [MessageText(row.order_id, bytes(row.body).decode(errors="replace")) for row in rows]


def erase_messages(
    connection: Connection,
    person: Person,
    related: Iterable[int],
    mentioning: Iterable[int],
    theirs: set[Value],
) -> int:
    """Take the person out of the messages `mentioning` them, and of those about their and the `related` orders."""
    own, used = set(person.own), set(person.used)
    mentioning = set(mentioning)
    # A first name alone may also be part of a store's name or of a product's.
    mentions = Mentions(theirs, strong_only=True)
    emails = {email_key(value.text) for value in theirs if value.kind is Kind.EMAIL}
    statement = text("SELECT * FROM messages_of_person(:orders, :ids)").bindparams(*arrays("orders", "ids"))
    parameters = {"orders": sorted({*person.orders, *related}), "ids": sorted(mentioning)}
    ids: list[int] = []
    bodies: list[bytes | None] = []
    for row in connection.execute(statement, parameters):
        is_own = row.order_id in own
        body = _without(bytes(row.body), mentions, emails, is_own=is_own)
        is_theirs = is_own or row.order_id in used or row.id in mentioning
        if is_theirs or body != bytes(row.body):
            ids.append(row.id)
            bodies.append(body if row.waits else None)
    if not ids:
        return 0
    erasing = text("SELECT erase_messages(:ids, :bodies)").bindparams(
        *arrays("ids"), bindparam("bodies", type_=ARRAY(LargeBinary))
    )
    return int(connection.execute(erasing, {"ids": ids, "bodies": bodies}).scalar_one())


def _without(body: bytes, mentions: Mentions, emails: set[str | None], *, is_own: bool) -> bytes | None:
    """The body without the person; None when it cannot be read."""
    try:
        message = json.loads(body)
        if isinstance(message, dict):
            _empty(message.get("data") if isinstance(message.get("data"), dict) else message, emails, is_own)
        without = _cut(message, mentions)
        return body if without == json.loads(body) else json.dumps(without).encode()
    except (ValueError, RecursionError):
        return None


# Any: JSON of any form.
def _empty(order: Any, emails: set[str | None], is_own: bool) -> None:
    """Empty what an order document says of its customer and its licence users, as an erasure does it in the tables."""
    customer = order.get("customer")
    if isinstance(customer, dict) and (is_own or _key(customer) in emails):
        is_own = True
        order["customer"] = {key: customer[key] for key in _NOT_PERSONAL if key in customer} | {
            "erased": True
        }
        for key in _PERSONAL_OF_ORDER:
            order.pop(key, None)
        if isinstance(payment := order.get("payment"), dict):
            for key in _PERSONAL_OF_PAYMENT:
                payment.pop(key, None)
        for line in _objects(order.get("history")):
            line["text"] = "deleted"
    for item in _objects(order.get("items")):
        user = item.get("license_user")
        if isinstance(user, dict) and (is_own or _key(user) in emails):
            item["license_user"] = {"erased": True}
            item.pop("additional_fields", None)


def _key(person: dict[str, Any]) -> str | None:
    email = person.get("email")
    # A key that nobody has.
    return email_key(email) if isinstance(email, str) and email else ""


def _objects(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _cut(value: Any, mentions: Mentions) -> Any:
    if isinstance(value, str):
        return mentions.without(value)
    if isinstance(value, list):
        return [_cut(entry, mentions) for entry in value]
    if isinstance(value, dict):
        return {name: _cut(entry, mentions) for name, entry in value.items()}
    return value
