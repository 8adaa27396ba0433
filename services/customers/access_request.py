"""Everything that is held of a person, for an answer to their access request (decision 032).

The person is known by an e-mail, as for a deletion (`services.privacy.erasure`): their own orders come whole, of orders
of others come the licences that they use, and elsewhere, in texts about others, the lines that mention them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import BigInteger, ColumnElement, Connection, any_, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from db.schema.all_tables import metadata
from db.schema.audit_actions import AuditAction
from db.schema.mail_tables import mail
from db.schema.order_tables import activation_code, order_item, orders
from db.schema.statuses import CUSTOMER_MAILS
from services.access import Viewer, require_administrator
from services.audit import recording
from services.customers.personal_columns import AS_TEXTS, OF_ORDERS, held_columns, user_columns
from services.errors import NotFound, OrderNotFound
from services.privacy.erasure import Part, preview_erasure
from services.privacy.known_values import (
    Person,
    PersonalText,
    arrays,
    current_values,
    past_values,
    texts_of,
)
from services.privacy.mentions import Kind, Mentions, Value
from services.privacy.messages import read_bodies
from services.privacy.person import Reach, find_reach
from services.privacy.searches import find_saved_searches
from services.text.keys import email_key
from services.text.numbers import is_bigint

_AROUND: Final = 80  # characters on either side of a mention in a text about somebody else


class NoPersonToExport(NotFound):
    message = "This order has no e-mail by which a person could be looked for."


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of one kind. The first column of a section `of_orders` is the order's ID."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    of_orders: bool = True


@dataclass(frozen=True, slots=True)
class HeldData:
    """What is held of the person with this e-mail. `is_whole` is False when they have had more e-mails or phone numbers
    than texts about others were searched for."""

    email: str
    order_name: str
    made_at: datetime
    made_by: str
    is_whole: bool
    sections: tuple[Section, ...]


def record_person_export(
    connection: Connection, viewer: Viewer, order_id: int, *, ending: str, address: str | None
) -> str:
    """Record in the audit log that everything held of the order's customer is handed out; the e-mail is not in it.
    Returns the order's name.

    Raises `NotAllowed`, `OrderNotFound`, `NoPersonToExport`.
    """
    _, order_name = _email(connection, viewer, order_id)
    recording.record(
        connection,
        viewer,
        AuditAction.EXPORT_PERSON,
        address=address,
        order_id=order_id,
        details={"format": ending},
    )
    return order_name


def collect_held_data(connection: Connection, viewer: Viewer, order_id: int) -> HeldData:
    """Everything that is held of the customer of this order, in all stores; reads every text there is once.

    Raises `NotAllowed`, `OrderNotFound`, `NoPersonToExport`.
    """
    email, order_name = _email(connection, viewer, order_id)
    parts = preview_erasure(connection, viewer, email=email).parts
    own, used, past = (sorted(key for key, part in parts.items() if part is wanted) for wanted in Part)
    person = Person(email, own, used, past)
    theirs = _of_nobody_else(
        connection, person, current_values(connection, person)[0] | past_values(connection, person)
    )
    reach = find_reach(connection, person)
    sections = (
        *_own(connection, person, theirs),
        *_used(connection, person),
        _texts(connection, own),
        _messages(connection, own),
        _mentions(connection, person, theirs, reach),
        _searches(connection, theirs),
    )
    return HeldData(
        email, order_name, datetime.now(UTC), viewer.email, reach.is_whole, tuple(filter(_has_rows, sections))
    )


def _has_rows(section: Section) -> bool:
    return bool(section.rows)


def _email(connection: Connection, viewer: Viewer, order_id: int) -> tuple[str, str]:
    """The e-mail and the name of the order."""
    require_administrator(viewer)
    statement = select(orders.c.email, orders.c.order_name, orders.c.customer_erased).where(
        orders.c.order_id == order_id, orders.c.checkout_page_id.in_(viewer.store_ids)
    )
    row = connection.execute(statement).one_or_none() if is_bigint(order_id) else None
    if row is None:
        raise OrderNotFound
    if row.customer_erased or "@" not in (row.email or ""):
        raise NoPersonToExport
    return row.email, row.order_name


def _of_nobody_else(connection: Connection, person: Person, values: set[Value]) -> set[Value]:
    """The values without the e-mails and phone numbers that an order of somebody else has today.

    An order may have been typed with another customer's address and corrected since: what that customer was sent, and
    what is written about them, must not be handed to whoever typed it.
    """
    mine = email_key(person.email)
    emails = [v.text for v in values if v.kind is Kind.EMAIL and email_key(v.text) != mine]
    phones = [v.text for v in values if v.kind is Kind.PHONE]
    foreign = text(
        "SELECT 'email' AS kind, e AS value FROM unnest(CAST(:emails AS text[])) e WHERE "
        "EXISTS (SELECT FROM orders o WHERE o.email_key = email_key(e) AND o.order_id <> ALL (:own)) OR "
        "EXISTS (SELECT FROM order_item i WHERE email_key(i.license_email) = email_key(e) "
        "AND i.order_id <> ALL (:own)) "
        "UNION ALL SELECT 'phone', n FROM unnest(CAST(:phones AS text[])) n WHERE "
        "EXISTS (SELECT FROM orders o WHERE o.phone_key = digits(n) AND o.order_id <> ALL (:own))"
    ).bindparams(*arrays("own"))
    rows = connection.execute(foreign, {"emails": emails, "phones": phones, "own": person.own})
    return values - {Value(Kind(row.kind), row.value) for row in rows}


def _own(connection: Connection, person: Person, theirs: set[Value]) -> Iterator[Section]:
    """The person's own orders, a section per table."""
    for name, about in OF_ORDERS.items():
        table = metadata.tables[name]
        columns = (*about, *held_columns(name))
        condition: ColumnElement[bool] = _among(table.c.order_id, person.own)
        if name == "mail":
            emails = [func.email_key(value.text) for value in theirs if value.kind == "email"]
            # A customer's mail names the operator who caused it; other mails with an account are the account's own.
            is_customers = or_(mail.c.account_id.is_(None), mail.c.kind.in_(CUSTOMER_MAILS))
            condition = or_(condition, func.email_key(mail.c.to_address).in_(emails)) & is_customers
        statement = (
            select(*(table.c[column] for column in columns))
            .where(condition)
            .order_by(*(table.c[column] for column in about[:2]))
        )
        rows = tuple(tuple(row) for row in connection.execute(statement))
        yield Section(name.replace("_", " "), columns, rows)


def _used(connection: Connection, person: Person) -> Iterator[Section]:
    """Licences that the person uses in orders of others, and nothing of these others."""
    columns = ("order_id", "position", "name", *user_columns())
    is_theirs = func.email_key(order_item.c.license_email) == func.email_key(person.email)
    condition = _among(order_item.c.order_id, person.used) & is_theirs
    rows = connection.execute(select(*(order_item.c[name] for name in columns)).where(condition)).all()
    yield Section("licences in orders of others", columns, tuple(tuple(row) for row in rows), of_orders=False)
    codes = (
        select(activation_code.c.order_id, activation_code.c.position, activation_code.c.code)
        .join(
            order_item,
            (order_item.c.order_id == activation_code.c.order_id)
            & (order_item.c.position == activation_code.c.position),
        )
        .where(condition)
    )
    of_items = tuple(tuple(row) for row in connection.execute(codes))
    yield Section("codes of these licences", ("order_id", "position", "code"), of_items, of_orders=False)


def _texts(connection: Connection, own: list[int]) -> Section:
    """Texts of the person's own orders that are not in a section above."""
    rows = tuple(
        (row.order_id, row.place.replace("_", " "), row.value)
        for row in texts_of(connection, own)
        if row.place.split(".")[0] in AS_TEXTS or row.place in ("inbox.field", "inbox.reason")
    )
    return Section("further texts", ("order_id", "place", "text"), rows)


def _messages(connection: Connection, own: list[int]) -> Section:
    """The messages of shops about the person's own orders."""
    rows = tuple((message.order_id, message.text) for message in read_bodies(connection, own, ()))
    return Section("messages of shops", ("order_id", "message"), rows)


def _mentions(connection: Connection, person: Person, theirs: set[Value], reach: Reach) -> Section:
    """What texts and messages about others say around each mention of the person."""
    strong = Mentions(theirs, strong_only=True)
    others = sorted({*person.used, *person.past, *reach.orders} - set(person.own))
    texts = [*texts_of(connection, others), *reach.loose_texts]
    texts += [
        PersonalText(message.order_id, "inbox.body", "", [], message.text)
        for message in read_bodies(connection, (), reach.messages)
        if message.order_id not in set(person.own)
    ]
    rows = tuple(
        (text.order_id, text.place.replace("_", " "), excerpt)
        for text in texts
        for excerpt in _excerpts(text.value, strong)
    )
    return Section("mentions in texts about others", ("order_id", "place", "excerpt"), rows, of_orders=False)


def _excerpts(text: str, mentions: Mentions) -> Iterator[str]:
    for start, end in mentions.spans(text):
        first, last = max(0, start - _AROUND), end + _AROUND
        yield f"{'…' if first else ''}{text[first:last]}{'…' if last < len(text) else ''}"


def _searches(connection: Connection, theirs: Iterable[Value]) -> Section:
    rows = tuple(
        (searched.field.replace("_", " "), searched.value)
        for searched in find_saved_searches(connection, set(theirs))
    )
    return Section("saved searches", ("field", "searched for"), rows, of_orders=False)


def _among(column: ColumnElement[int], order_ids: Sequence[int]) -> ColumnElement[bool]:
    return column == any_(literal(list(order_ids), ARRAY(BigInteger)))
