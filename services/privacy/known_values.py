"""The values that identify a person: those in their orders, and earlier ones, of which the database stores digests.

db/schema/personal.py says which person a value identifies. A digest is keyed and made by the database alone
(db/migrations/sql/0014_erasing.sql): it recognises a value in a text, and cannot be read.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from sqlalchemy import BigInteger, BindParameter, Connection, RowMapping, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from db.schema.order_tables import order_item, orders
from db.schema.personal import Whose, known_by
from db.schema.portal_tables import audit_log
from services.privacy.mentions import DIGESTED, Kind, Value, candidates


@dataclass(slots=True)
class Person:
    """The person to remove, by order.

    `own` orders are emptied as a whole, of `used` ones only the licence user's part, and in `past` ones the customer
    had this e-mail before. `email` is None when a document of the shop asks for the deletion.
    """

    email: str | None
    own: list[int]
    used: list[int] = field(default_factory=list)
    past: list[int] = field(default_factory=list)

    @property
    def orders(self) -> list[int]:
        return sorted({*self.own, *self.used, *self.past})


class PersonalText(NamedTuple):
    """A text that may mention somebody; `place` is its table and column, `order_id` is None outside of orders."""

    order_id: int | None
    place: str
    key: str
    path: list[str]
    value: str

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        return cls(**{name: row[name] for name in cls._fields})


class KnownValue(NamedTuple):
    """A value of which an order, or its item at `position`, has a digest."""

    order_id: int
    position: int | None
    kind: str
    value: str


def current_values(connection: Connection, person: Person) -> tuple[set[Value], set[Value]]:
    """The values that identify the person, and those that identify the licence users in the person's own orders."""
    theirs, beside = set(), set()
    if person.email:
        theirs.add(Value(Kind.EMAIL, person.email))
    customer, user = known_by("orders", Whose.CUSTOMER), known_by("order_item", Whose.LICENCE_USER)
    statement = select(*(orders.c[name] for name in customer)).where(orders.c.order_id.in_(person.own))
    for row in connection.execute(statement):
        theirs |= _of_row(row._mapping, customer)
    is_theirs = text("email_key(order_item.license_email) = email_key(:email)").bindparams(email=person.email)
    columns = [order_item.c[name] for name in user]
    for row in connection.execute(select(*columns).where(order_item.c.order_id.in_(person.used), is_theirs)):
        theirs |= _of_row(row._mapping, user)
    for row in connection.execute(select(*columns).where(order_item.c.order_id.in_(person.own))):
        beside |= _of_row(row._mapping, user)
    # E-mails that were corrected; the log says so in its details.
    corrected = select(audit_log.c.details["old"].astext, audit_log.c.details["new"].astext).where(
        audit_log.c.order_id.in_(person.own), audit_log.c.details.has_key("new")
    )
    for row in connection.execute(corrected):
        theirs |= {Value(Kind.EMAIL, value) for value in row if value and "@" in value}
    return theirs, beside


def _of_row(row: RowMapping, kinds: dict[str, str]) -> set[Value]:
    pairs = ((kind, row[name]) for name, kind in kinds.items())
    return {Value(Kind(kind), value) for kind, value in pairs if value and value.strip()}


def past_values(connection: Connection, person: Person) -> set[Value]:
    """Values of before, of which only digests are kept, as the texts of these orders still show them."""
    among = sorted({*person.own, *person.used})
    sizes = known_sizes(connection, among, erased=False)
    if not sizes:
        return set()
    used = set(person.used) - set(person.own)
    their_items = {
        (row.order_id, row.position)
        for row in connection.execute(
            select(order_item.c.order_id, order_item.c.position).where(
                order_item.c.order_id.in_(used),
                text("email_key(order_item.license_email) = email_key(:email)").bindparams(
                    email=person.email
                ),
            )
        )
    }
    possible: set[Value] = set()
    for row in texts_of(connection, among):
        if row.order_id is not None and (of_order := sizes.get(row.order_id)):
            possible.update(candidates(row.value, of_order))
    return {
        Value(Kind(row.kind), row.value)
        for row in known_among(connection, among, possible, erased=False)
        if row.order_id not in used or (row.order_id, row.position) in their_items
    }


def known_sizes(
    connection: Connection, of_orders: list[int], *, erased: bool
) -> dict[int, set[tuple[Kind, int]]]:
    """The kinds and word counts of the values of which these orders have digests."""
    sizes: dict[int, set[tuple[Kind, int]]] = defaultdict(set)
    statement = text("SELECT * FROM known_sizes(:ids, :erased)").bindparams(*arrays("ids"))
    for row in connection.execute(statement, {"ids": of_orders, "erased": erased}):
        sizes[row.order_id].add((Kind(row.kind), row.words))
    return sizes


def known_among(
    connection: Connection, of_orders: list[int], values: Iterable[Value], *, erased: bool
) -> list[KnownValue]:
    """The values of which the orders have a digest, with `order_id` and `position`."""
    ordered = sorted(values)
    texts = [bindparam(name, type_=ARRAY(Text)) for name in ("kinds", "texts")]
    statement = text("SELECT * FROM known_among(:ids, :erased, :kinds, :texts)").bindparams(
        *arrays("ids"), *texts
    )
    kinds, value_texts = [value.kind.value for value in ordered], [value.text for value in ordered]
    rows = connection.execute(
        statement, {"ids": of_orders, "erased": erased, "kinds": kinds, "texts": value_texts}
    )
    return [KnownValue(row.order_id, row.position, row.kind, row.value) for row in rows]


def remember_erased(connection: Connection, of_orders: list[int], values: Iterable[Value]) -> None:
    digested = sorted(value for value in values if value.kind in DIGESTED)
    texts = [bindparam(name, type_=ARRAY(Text)) for name in ("kinds", "texts")]
    connection.execute(
        text("SELECT remember_erased(:ids, :kinds, :texts)").bindparams(*arrays("ids"), *texts),
        {
            "ids": of_orders,
            "kinds": [value.kind.value for value in digested],
            "texts": [value.text for value in digested],
        },
    )


def texts_of(connection: Connection, of_orders: list[int]) -> list[PersonalText]:
    """Every text of these orders that may mention somebody, with its `place` and `key`."""
    statement = text("SELECT * FROM personal_texts(:ids) WHERE value IS NOT NULL").bindparams(*arrays("ids"))
    return [PersonalText.of(row._mapping) for row in connection.execute(statement, {"ids": of_orders})]


def emails_of(values: Iterable[Value]) -> list[str]:
    return sorted({value.text for value in values if value.kind is Kind.EMAIL})


def arrays(*names: str) -> list[BindParameter[Sequence[int]]]:
    """Parameters that are arrays of order IDs or other row keys."""
    return [bindparam(name, type_=ARRAY(BigInteger)) for name in names]
