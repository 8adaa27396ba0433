"""Deleting a person's data at their request: what would be touched, and the deletion itself."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import BigInteger, Connection, any_, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from db.schema.audit_actions import AuditAction
from db.schema.connection_tables import connection as connection_table
from db.schema.mail_tables import mail
from db.schema.order_tables import checkout_page, order_document, orders
from db.schema.statuses import CUSTOMER_MAILS
from services.access import Viewer, require_administrator
from services.actions import ActionResult, action
from services.errors import Conflict, InvalidInput
from services.events.event_types import EventType
from services.events.outbox import Subject, Value, publish
from services.mail.addresses import LONGEST
from services.privacy.known_values import Person
from services.privacy.person import Erased, Reach, erase, find_reach
from services.text.keys import strip_edges

SHOWN: Final = 200
_NAMED: Final = 5
# A mail server that is slow to answer is waited for; one that hangs is not.
_WAIT_SECONDS: Final = 15.0


class NothingToErase(Conflict):
    message = "No order holds personal data under this e-mail."


class ChangedSincePreview(Conflict):
    """The orders of the person are not those that the preview showed; nothing was deleted."""


class Part(StrEnum):
    """The person's part in an order. In an order of a past e-mail the customer has another one now."""

    CUSTOMER = "customer"
    LICENCE_USER = "licence user"
    PAST_EMAIL = "past e-mail"

    @property
    def label(self) -> str:
        return {"customer": "Customer", "licence user": "Licence user", "past e-mail": "Past e-mail"}[self]


@dataclass(frozen=True, slots=True)
class TouchedOrder:
    """An order that the deletion would touch, and why."""

    order_id: int
    order_name: str
    store: str
    status: str
    created_at: datetime
    part: Part


@dataclass(frozen=True, slots=True)
class ErasurePreview:
    """The reach of a deletion: `parts` by order ID, of which `orders` shows the newest `SHOWN`.

    `documents` and `mails` count those of the customer's own orders.
    """

    parts: Mapping[int, Part]
    orders: tuple[TouchedOrder, ...]
    documents: int
    mails: int

    @property
    def number(self) -> int:
        return len(self.parts)

    def count(self, part: Part) -> int:
        return sum(1 for other in self.parts.values() if other is part)


def preview_erasure(connection: Connection, viewer: Viewer, *, email: str) -> ErasurePreview:
    """The orders that hold data of the person with this e-mail. Raises `NotAllowed`, `InvalidInput` (field `email`)."""
    require_administrator(viewer)
    parts = _parts(connection, _email(email))
    rows = connection.execute(
        select(
            orders.c.order_id, orders.c.order_name, checkout_page.c.name, orders.c.status, orders.c.created_at
        )
        .join(checkout_page, checkout_page.c.id == orders.c.checkout_page_id)
        .where(orders.c.order_id == any_(literal(list(parts), ARRAY(BigInteger))))
        .order_by(orders.c.created_at.desc(), orders.c.order_id.desc())
        .limit(SHOWN)
    )
    own = literal([key for key, part in parts.items() if part is Part.CUSTOMER], ARRAY(BigInteger))
    documents, mails = (
        connection.execute(
            select(func.count()).select_from(table).where(table.c.order_id == any_(own), *more)
        ).scalar_one()
        for table, more in ((order_document, ()), (mail, (mail.c.kind.in_(CUSTOMER_MAILS),)))
    )
    touched = tuple(TouchedOrder(*row, parts[row.order_id]) for row in rows)
    return ErasurePreview(parts, touched, documents, mails)


@action(AuditAction.ERASE_PERSONAL_DATA)
def erase_personal_data(
    connection: Connection, viewer: Viewer, *, email: str, expected: Mapping[int, Part]
) -> ActionResult:
    """Remove a person's data from orders, licence users, histories, mails, saved searches and the audit log.

    Each order's history gets the line *Personal data anonymize*; the orders themselves remain and are counted.
    `expected` is what the preview showed. Locks the orders by rising ID and then their mails. Raises `NotAllowed`,
    `InvalidInput`, `NothingToErase`, and `ChangedSincePreview` when the person's orders are no longer those previewed.
    """
    require_administrator(viewer)
    email = _email(email)
    parts = _parts(connection, email)
    if not parts and not expected:
        raise NothingToErase
    reach = find_reach(connection, _person(email, parts))
    connection.execute(
        select(orders.c.order_id)
        .where(orders.c.order_id == any_(literal([*{*parts, *expected, *reach.orders}], ARRAY(BigInteger))))
        .order_by(orders.c.order_id)
        # The mail worker may go on writing into the histories of these orders; their changes have to wait.
        .with_for_update(key_share=True)
    )
    parts = _parts(connection, email)
    if parts != dict(expected):
        raise ChangedSincePreview(_differences(connection, expected, parts))
    person = _person(email, parts)
    erased = erase(connection, person, reach, announce=True, wait_seconds=_WAIT_SECONDS)
    _tell_shops(connection, parts)
    return ActionResult(_sentence(person, reach, erased), _details(person, erased))


def _tell_shops(connection: Connection, parts: Mapping[int, Part]) -> None:
    """An event for each emptied order of a store that has a connection; the shop knows whose the order is."""
    emptied = [order_id for order_id, part in parts.items() if part is not Part.PAST_EMAIL]
    rows = connection.execute(
        select(
            orders.c.order_id,
            orders.c.order_name,
            orders.c.checkout_page_id.label("store_id"),
            checkout_page.c.name.label("store"),
        )
        .join(checkout_page, checkout_page.c.id == orders.c.checkout_page_id)
        .where(
            orders.c.order_id == any_(literal(emptied, ARRAY(BigInteger))),
            orders.c.checkout_page_id.in_(select(connection_table.c.checkout_page_id)),
        )
        .order_by(orders.c.order_id)
    ).all()
    for row in rows:
        data: dict[str, Value] = {"person": parts[row.order_id].value}
        publish(connection, EventType.CUSTOMER_ERASED, Subject(**row._mapping), data=data)


def _person(email: str, parts: Mapping[int, Part]) -> Person:
    own, used, past = ([key for key, part in parts.items() if part is wanted] for wanted in Part)
    return Person(email, own, used, past)


def _parts(connection: Connection, email: str) -> dict[int, Part]:
    rows = connection.execute(text("SELECT * FROM orders_of_person(:email)"), {"email": email})
    return {row.order_id: Part(row.part) for row in rows}


def _differences(connection: Connection, expected: Mapping[int, Part], current: Mapping[int, Part]) -> str:
    """Nothing was deleted, and which orders came, went or changed since the preview."""
    came, gone = sorted(current.keys() - expected.keys()), sorted(expected.keys() - current.keys())
    other = sorted(key for key in current.keys() & expected.keys() if current[key] is not expected[key])
    told = [*came[:_NAMED], *gone[:_NAMED], *other[:_NAMED]]
    names = {
        row.order_id: row.order_name
        for row in connection.execute(
            select(orders.c.order_id, orders.c.order_name).where(orders.c.order_id.in_(told))
        )
    }

    def list_of(ids: list[int]) -> str:
        listed = ", ".join(names.get(key, str(key)) for key in ids[:_NAMED])
        return listed + (f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else "")

    parts = [
        f"came with this e-mail: {list_of(came)}" if came else "",
        f"no longer with this e-mail: {list_of(gone)}" if gone else "",
        f"e-mail changed: {list_of(other)}" if other else "",
    ]
    changes = "; ".join(filter(None, parts))
    return f"Nothing was deleted. Orders have changed since the preview ({changes}). Please look at it again."


def _sentence(person: Person, reach: Reach, erased: Erased) -> str:
    emptied = len({*person.own, *person.used})
    if emptied:
        said = f"The personal data was deleted from {_count(emptied, 'order')}."
    else:
        said = "No order's customer or licence user has this e-mail now."
    if person.past:
        said += (
            f" Mentions of the e-mail were deleted from {_count(len(person.past), 'order')} whose customer had it "
            "before and has another e-mail now."
        )
    counts = (
        (erased.documents, "document"),
        (erased.mails, "mail"),
        (erased.saved_searches, "saved search"),
        (erased.texts, "mention"),
        (erased.messages, "message"),
    )
    if also := [_count(number, noun) for number, noun in counts if number]:
        said += f" Also deleted: {', '.join(also)}."
    if not reach.is_whole:
        said += (
            " The person has had more e-mails or phone numbers than are looked for in other people's orders, so some "
            "mentions may be left there."
        )
    if erased.taken_back:
        said += f" {_count(erased.taken_back, 'mail')} that waited {_were(erased.taken_back)} taken back."
    if erased.mails_under_way:
        said += (
            f" {_count(erased.mails_under_way, 'mail')} {_were(erased.mails_under_way)} just being handed over "
            "and may arrive; what is kept of it goes when that has ended."
        )
    return said


def _details(person: Person, erased: Erased) -> dict[str, int]:
    counts = Counter(
        {
            "orders": len({*person.own, *person.used}),
            "orders with a past e-mail": len(person.past),
            "mails": erased.mails,
            "mails taken back": erased.taken_back,
            "mails under way": erased.mails_under_way,
            "documents": erased.documents,
            "texts": erased.texts,
            "saved searches": erased.saved_searches,
            "messages": erased.messages,
        }
    )
    return {
        name: number for name, number in counts.items() if number or name in ("orders", "mails", "documents")
    }


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 'es' if noun.endswith('ch') else 's'}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _email(email: str) -> str:
    email = strip_edges(email)
    if len(email) < 3 or len(email) > LONGEST or "@" not in email or not email.isprintable():
        raise InvalidInput("Enter the whole e-mail address of the person.", field="email")
    return email
