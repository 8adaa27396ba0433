"""Taking a person out of orders and of every text: what `services.erasure` and the import of documents have in common.

What is emptied is written in db/personal.py; the database empties it, and lets spans of texts be cut out and nothing be
written (db/migrations/sql/0014_erasing.sql). Where a text mentions the person is found here (`services.mentions`).
"""

import json
import re
import time
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cache
from sys import maxunicode
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, any_, bindparam, literal, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from db.personal import Whose, known_by
from db.tables import audit_log, mail, order_item, order_relation, orders, subscription
from services.mentions import DIGESTED, Kind, Mentions, Value, candidates
from services.text_readings import key_of

_LOOK_EVERY_SECONDS: Final = 0.05
_FEWEST_DIGITS: Final = 7


@dataclass(slots=True)
class Person:
    """Whom to take out, by order: `own` orders are emptied as a whole, of `used` ones only the licence user's part, and
    in `past` ones the customer had this e-mail before. `email` is None when a document of the shop asks for it."""

    email: str | None
    own: list[int]
    used: list[int] = field(default_factory=list)
    past: list[int] = field(default_factory=list)

    @property
    def orders(self) -> list[int]:
        return sorted({*self.own, *self.used, *self.past})


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was taken out. `mails_under_way` are messages that a worker was still handing over: they are emptied
    when that has ended."""

    texts: int
    documents: int
    mails: int
    taken_back: int
    saved_searches: int
    mails_under_way: int


def erase(connection: Connection, person: Person, *, announce: bool, wait_seconds: float) -> Erased:
    """Takes the person out of everything; their orders must be locked. Waits that long at most for messages that
    are on their way. `announce` writes *Personal data anonymize* into the histories."""
    locked, under_way = _lock_mails(connection, person, wait_seconds)
    theirs, beside = _values(connection, person)
    theirs |= _past_values(connection, person, theirs)
    cuts = _cuts(connection, person, theirs, beside)
    erased = sum(
        row.changed
        for row in connection.execute(text("SELECT * FROM erase_spans(:cuts)"), {"cuts": json.dumps(cuts)})
    )
    _remember(connection, person.orders + _touched_elsewhere(cuts, person), theirs)
    emptied = connection.execute(
        text("SELECT * FROM empty_person(:own, :emails, :mails, :announced)").bindparams(
            *_arrays("own", "mails", "announced"), bindparam("emails", type_=ARRAY(Text))
        ),
        {
            "own": person.own,
            "emails": _emails(theirs),
            "mails": locked,
            "announced": sorted({*person.own, *person.used}) if announce else [],
        },
    ).one()
    return Erased(
        texts=erased,
        documents=emptied.documents,
        mails=emptied.mails,
        taken_back=emptied.taken_back,
        saved_searches=_erase_saved_searches(connection, theirs),
        mails_under_way=under_way,
    )


def _lock_mails(connection: Connection, person: Person, wait_seconds: float) -> tuple[list[int], int]:
    """Locks the messages by rising ID, after the orders, and returns them and how many could not be had.

    It looks again and again instead of queueing for a lock: a worker that holds one goes on to write into the history
    of an order that is locked here, and two who wait for each other would both fail.
    """
    keys = _emails({Value(Kind.EMAIL, person.email)} if person.email else ())
    concerned = or_(
        mail.c.order_id == any_(literal(person.orders, ARRAY(BigInteger))),
        mail.c.account_id.is_(None)
        & text("fold(mail.to_address) = ANY (SELECT fold(e) FROM unnest(CAST(:emails AS text[])) e)"),
    )
    statement = select(mail.c.id).where(concerned).order_by(mail.c.id)
    until = time.monotonic() + wait_seconds
    while True:
        wanted = set(connection.execute(statement, {"emails": keys}).scalars())
        locking = statement.with_for_update(skip_locked=True, key_share=True)
        locked = list(connection.execute(locking, {"emails": keys}).scalars())
        missing = len(wanted - set(locked))
        if not missing or time.monotonic() > until:
            return locked, missing
        time.sleep(_LOOK_EVERY_SECONDS)


def _values(connection: Connection, person: Person) -> tuple[set[Value], set[Value]]:
    """What the person is known by, and what else their own orders are known by: the users of their licences."""
    theirs, beside = set(), set()
    if person.email:
        theirs.add(Value(Kind.EMAIL, person.email))
    customer, user = known_by("orders", Whose.CUSTOMER), known_by("order_item", Whose.LICENCE_USER)
    statement = select(*(orders.c[name] for name in customer)).where(orders.c.order_id.in_(person.own))
    for row in connection.execute(statement):
        theirs |= _of_row(row, customer)
    is_theirs = text("fold(order_item.license_email) = fold(:email)").bindparams(email=person.email)
    columns = [order_item.c[name] for name in user]
    for row in connection.execute(select(*columns).where(order_item.c.order_id.in_(person.used), is_theirs)):
        theirs |= _of_row(row, user)
    for row in connection.execute(select(*columns).where(order_item.c.order_id.in_(person.own))):
        beside |= _of_row(row, user)
    # E-mails that were corrected; the log says so in its details.
    corrected = select(audit_log.c.details["old"].astext, audit_log.c.details["new"].astext).where(
        audit_log.c.order_id.in_(person.own), audit_log.c.details.has_key("new")
    )
    for row in connection.execute(corrected):
        theirs |= {Value(Kind.EMAIL, value) for value in row if value and "@" in value}
    return theirs, beside


def _of_row(row: Any, kinds: dict[str, str]) -> set[Value]:
    pairs = ((kind, row._mapping[name]) for name, kind in kinds.items())
    return {Value(Kind(kind), value) for kind, value in pairs if value and value.strip()}


def _past_values(connection: Connection, person: Person, known: Collection[Value]) -> set[Value]:
    """Values of before, of which only digests are kept, as the texts of these orders still show them."""
    among = sorted({*person.own, *person.used})
    sizes = known_sizes(connection, among, erased=False)
    if not sizes:
        return set()
    used = set(person.used) - set(person.own)
    their_items = {
        (row.order_id, row.item_id)
        for row in connection.execute(
            select(order_item.c.order_id, order_item.c.item_id).where(
                order_item.c.order_id.in_(used),
                text("fold(order_item.license_email) = fold(:email)").bindparams(email=person.email),
            )
        )
    }
    found: set[Value] = set()
    for row in _texts_of(connection, among):
        if of_order := sizes.get(row.order_id):
            found.update(candidates(row.value, of_order))
    return {
        Value(Kind(row.kind), row.value)
        for row in known_among(connection, among, found, erased=False)
        if row.order_id not in used or (row.order_id, row.item_id) in their_items
    }


def known_sizes(
    connection: Connection, of_orders: list[int], *, erased: bool
) -> dict[int, set[tuple[Kind, int]]]:
    """Of which kinds, and how many words, the values are that these orders have digests of."""
    sizes: dict[int, set[tuple[Kind, int]]] = defaultdict(set)
    statement = text("SELECT * FROM known_sizes(:ids, :erased)").bindparams(*_arrays("ids"))
    for row in connection.execute(statement, {"ids": of_orders, "erased": erased}):
        sizes[row.order_id].add((Kind(row.kind), row.words))
    return sizes


def known_among(
    connection: Connection, of_orders: list[int], values: Iterable[Value], *, erased: bool
) -> list[Any]:
    """Those of the values that the orders have a digest of, with `order_id` and `item_id`."""
    given = sorted(values)
    texts = [bindparam(name, type_=ARRAY(Text)) for name in ("kinds", "texts")]
    statement = text("SELECT * FROM known_among(:ids, :erased, :kinds, :texts)").bindparams(
        *_arrays("ids"), *texts
    )
    kinds, words = [value.kind.value for value in given], [value.text for value in given]
    return list(
        connection.execute(statement, {"ids": of_orders, "erased": erased, "kinds": kinds, "texts": words})
    )


def _cuts(
    connection: Connection, person: Person, theirs: set[Value], beside: set[Value]
) -> list[dict[str, Any]]:
    everything = Mentions(theirs | beside, strong_only=False)
    of_person = Mentions(theirs, strong_only=False)
    strong = Mentions(theirs, strong_only=True)
    own, used = set(person.own), set(person.used)
    near = sorted({*person.orders, *_related(connection, person.own)})
    cuts = []
    for row in _texts_of(connection, near):
        # A product's name is the shop's, and a common word in it may be somebody's first name.
        if row.place == "order_item.name":
            mentions = strong
        else:
            mentions = everything if row.order_id in own else of_person if row.order_id in used else strong
        if spans := mentions.spans(row.value):
            cuts.append(_cut(row, spans))
    pattern = _far_pattern(theirs)
    if pattern:
        statement = text("SELECT * FROM texts_matching(:pattern, :besides)").bindparams(*_arrays("besides"))
        for row in connection.execute(statement, {"pattern": pattern, "besides": near}):
            if spans := strong.spans(row.value):
                cuts.append(_cut(row, spans))
    return cuts


def _cut(row: Any, spans: list[tuple[int, int]]) -> dict[str, Any]:
    return {
        "order": row.order_id,
        "place": row.place,
        "key": row.key,
        "path": row.path,
        "spans": [[start, end - start] for start, end in spans],
    }


def _texts_of(connection: Connection, of_orders: list[int]) -> Iterable[Any]:
    statement = text("SELECT * FROM personal_texts(:ids) WHERE value IS NOT NULL").bindparams(*_arrays("ids"))
    return connection.execute(statement, {"ids": of_orders})


def _related(connection: Connection, own: list[int]) -> set[int]:
    """Orders that tell of these: offers of the same page, and the rest of the same subscriptions."""
    both = order_relation.c.order_id, order_relation.c.related_order_id
    statements = [select(both[1]).where(both[0].in_(own)), select(both[0]).where(both[1].in_(own))]
    mine = subscription.alias()
    statements.append(
        select(subscription.c.order_id)
        .join(
            mine,
            (mine.c.subscription_id == subscription.c.subscription_id)
            & (mine.c.checkout_page_id == subscription.c.checkout_page_id),
        )
        .where(mine.c.order_id.in_(own))
    )
    return {order_id for statement in statements for order_id in connection.execute(statement).scalars()}


def _touched_elsewhere(cuts: list[dict[str, Any]], person: Person) -> list[int]:
    return sorted({cut["order"] for cut in cuts if cut["order"] is not None} - set(person.orders))


def _remember(connection: Connection, of_orders: list[int], values: Iterable[Value]) -> None:
    kept = sorted(value for value in values if value.kind in DIGESTED)
    texts = [bindparam(name, type_=ARRAY(Text)) for name in ("kinds", "texts")]
    connection.execute(
        text("SELECT remember_erased(:ids, :kinds, :texts)").bindparams(*_arrays("ids"), *texts),
        {
            "ids": of_orders,
            "kinds": [value.kind.value for value in kept],
            "texts": [value.text for value in kept],
        },
    )


_FIELDS: Final = {
    "email": Kind.EMAIL,
    "phone": Kind.PHONE,
    "first_name": Kind.NAME,
    "last_name": Kind.NAME,
    "company": Kind.COMPANY,
    "vat_number": Kind.VAT,
    "card_last_4": Kind.CARD,
}


def _erase_saved_searches(connection: Connection, values: set[Value]) -> int:
    keys = {(value.kind, _comparable(value.kind, value.text)) for value in values}
    mentions = Mentions(values, strong_only=True)
    gone = set()
    for row in connection.execute(text("SELECT * FROM saved_search_texts()")):
        kind = _FIELDS.get(row.field)
        if (kind and (kind, _comparable(kind, row.value)) in keys) or mentions.spans(row.value):
            gone.add(row.key)
    statement = text("SELECT erase_saved_searches(:keys)").bindparams(bindparam("keys", type_=ARRAY(Text)))
    return int(connection.execute(statement, {"keys": sorted(gone)}).scalar_one()) if gone else 0


def _comparable(kind: Kind, value: str) -> str:
    key = key_of(value.strip())
    return re.sub(r"\D", "", key) if kind is Kind.PHONE else key.strip()


def _emails(values: Iterable[Value]) -> list[str]:
    return sorted({value.text for value in values if value.kind is Kind.EMAIL})


def _far_pattern(values: Iterable[Value]) -> str | None:
    """A regular expression of PostgreSQL for texts that may hold an e-mail or the phone number of the person."""
    parts = set()
    for value in values:
        key = key_of(value.text.strip())
        if value.kind is Kind.EMAIL:
            local, _, domain = key.rpartition("@")
            parts.add(f"{re.escape(local)}(@|%40|=40|&#64;|&#x40;){re.escape(domain)}")
        elif value.kind is Kind.PHONE and len(digits := re.sub(r"\D", "", key)) >= _FEWEST_DIGITS:
            parts.add("[^[:alnum:]]{0,3}".join(_digit_class(digit) for digit in digits))
    return "|".join(sorted(parts)) or None


@cache
def _digit_class(digit: str) -> str:
    every = "".join(c for c in map(chr, range(maxunicode + 1)) if unicodedata.decimal(c, None) == int(digit))
    return f"[{every}]"


def _arrays(*names: str) -> list[Any]:
    return [bindparam(name, type_=ARRAY(BigInteger)) for name in names]
