"""The removal of a person from orders and from every text, shared by `services.privacy.erasure` and the import.

db/schema/personal.py lists what is emptied. The database empties it; of other texts it lets spans be cut out, and
nothing be written (db/migrations/sql/0014_erasing.sql). The mentions of the person in a text are found here
(`services.privacy.mentions`).
"""

import json
import re
import time
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypedDict

from sqlalchemy import BigInteger, Connection, any_, bindparam, literal, or_, select, text, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from db.schema.mail_tables import mail
from db.schema.order_tables import order_relation, orders, subscription
from db.schema.statuses import CUSTOMER_MAILS
from services.privacy.known_values import (
    Person,
    PersonalText,
    arrays,
    current_values,
    emails_of,
    past_values,
    remember_erased,
    texts_of,
)
from services.privacy.mentions import Kind, Mentions, Value, email_forms
from services.privacy.messages import Patterns, erase_messages, find_messages
from services.privacy.searches import erase_saved_searches
from services.text.keys import digits_of

_LOOK_EVERY_SECONDS: Final = 0.05
_FEWEST_DIGITS: Final = 7
# Each is compared with every text there is.
_MOST_PATTERNS: Final = 12


@dataclass(frozen=True, slots=True)
class Erased:
    """The extent of a deletion.

    `mails_under_way` are messages that a worker was still handing over; they are emptied when that has ended.
    """

    texts: int
    documents: int
    mails: int
    taken_back: int
    saved_searches: int
    mails_under_way: int
    messages: int


class Cut(TypedDict):
    """The spans, as [start, length], to cut out of a text, in the form that `erase_spans` takes."""

    order: int | None
    place: str
    key: str
    path: list[str]
    spans: list[list[int]]


@dataclass(frozen=True, slots=True)
class Reach:
    """Other orders whose texts mention the person, or may, and texts that mention them and belong to no order.

    `is_whole` is false when the person has more e-mails or phone numbers than were looked for. `store_id`: nothing
    outside this store may be touched. `messages` of the inbox may mention the person.
    """

    orders: frozenset[int] = frozenset()
    loose_texts: tuple[PersonalText, ...] = ()
    is_whole: bool = True
    store_id: int | None = None
    messages: tuple[int, ...] = ()


def find_reach(connection: Connection, person: Person, *, store_id: int | None = None) -> Reach:
    """Search every text for the person's e-mails and phone numbers.

    Call it before anything is locked, because it reads every history once. Orders that refer to the person's own are
    always part of the reach. With `store_id`, the reach ends at this store's orders and messages.
    """
    theirs = current_values(connection, person)[0] | past_values(connection, person)
    related = _related(connection, person.own)
    emails, numbers = _patterns(theirs)
    mentions = Mentions(theirs, strong_only=True)
    statement = text("SELECT * FROM texts_matching(:emails, :numbers, :wide, :besides)").bindparams(
        *arrays("besides"), bindparam("emails", type_=ARRAY(Text)), bindparam("numbers", type_=ARRAY(Text))
    )
    patterns = Patterns(
        emails[:_MOST_PATTERNS], numbers[:_MOST_PATTERNS], is_wide=not "".join(emails).isascii()
    )
    rows = [
        PersonalText.of(row._mapping)
        for row in connection.execute(statement, patterns.parameters() | {"besides": person.orders})
        if mentions.spans(row.value)
    ]
    related |= {row.order_id for row in rows if row.order_id is not None}
    # Texts without an order belong to the portal, and to no store.
    loose = tuple(row for row in rows if row.order_id is None) if store_id is None else ()
    if store_id is not None:
        of_store = select(orders.c.order_id).where(
            orders.c.checkout_page_id == store_id, orders.c.order_id.in_(related)
        )
        related = set(connection.execute(of_store).scalars())
    is_whole = len(emails) <= _MOST_PATTERNS and len(numbers) <= _MOST_PATTERNS
    messages = find_messages(connection, patterns, store_id)
    return Reach(frozenset(related), loose, is_whole, store_id, messages)


def erase(
    connection: Connection, person: Person, reach: Reach, *, announce: bool, wait_seconds: float
) -> Erased:
    """Remove the person from everything; all these orders must be locked.

    Waits at most `wait_seconds` for messages that are being handed over. `announce` writes *Personal data anonymize*
    into the histories.
    """
    locked, under_way = _lock_mails(connection, person, reach, wait_seconds)
    theirs, beside = current_values(connection, person)
    theirs |= past_values(connection, person)
    cuts = _cuts(connection, person, reach, theirs, beside)
    # What is under way is another transaction's to change.
    cuts = [cut for cut in cuts if not cut["place"].startswith("mail.") or int(cut["key"]) in locked]
    erased = sum(
        row.changed
        for row in connection.execute(text("SELECT * FROM erase_spans(:cuts)"), {"cuts": json.dumps(cuts)})
    )
    remember_erased(connection, person.orders + _touched_elsewhere(cuts, person), theirs)
    emptied = connection.execute(
        text("SELECT * FROM empty_person(:own, :emails, :mails, :announced, :store)").bindparams(
            *arrays("own", "mails", "announced"), bindparam("emails", type_=ARRAY(Text))
        ),
        {
            "own": person.own,
            "emails": emails_of(theirs),
            "mails": locked,
            "announced": sorted({*person.own, *person.used}) if announce else [],
            "store": reach.store_id,
        },
    ).one()
    return Erased(
        texts=erased,
        documents=emptied.documents,
        mails=emptied.mails,
        taken_back=emptied.taken_back,
        # Those of accounts, who look for people in all of their stores.
        saved_searches=erase_saved_searches(connection, theirs) if reach.store_id is None else 0,
        messages=erase_messages(connection, person, reach.orders, reach.messages, theirs),
        mails_under_way=under_way + emptied.under_way,
    )


def _lock_mails(
    connection: Connection, person: Person, reach: Reach, wait_seconds: float
) -> tuple[list[int], int]:
    """Lock the messages by rising ID, after the orders; return their IDs and the number of those that stayed locked.

    It polls instead of queueing for a lock: a worker that holds one goes on to write into the history of an order that
    is locked here, and the two would wait for each other.
    """
    loose = [int(row.key) for row in reach.loose_texts if row.place.startswith("mail.")]
    keys = emails_of({Value(Kind.EMAIL, person.email)} if person.email else ())
    concerned = or_(
        mail.c.order_id == any_(literal([*person.orders, *reach.orders], ARRAY(BigInteger))),
        mail.c.id == any_(literal(loose, ARRAY(BigInteger))),
        or_(mail.c.account_id.is_(None), mail.c.kind.in_(CUSTOMER_MAILS))
        & text(
            "email_key(mail.to_address) = ANY (SELECT email_key(e) FROM unnest(CAST(:emails AS text[])) e)"
        )
        & (true() if reach.store_id is None else mail.c.checkout_page_id == reach.store_id),
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


def _cuts(
    connection: Connection, person: Person, reach: Reach, theirs: set[Value], beside: set[Value]
) -> list[Cut]:
    everything = Mentions(theirs | beside, strong_only=False)
    of_person = Mentions(theirs, strong_only=False)
    strong = Mentions(theirs, strong_only=True)
    own, used = set(person.own), set(person.used)
    cuts = []
    for row in [*texts_of(connection, sorted({*person.orders, *reach.orders})), *reach.loose_texts]:
        # A product's name is the shop's, and a common word in it may be somebody's first name.
        if row.place == "order_item.name":
            mentions = strong
        else:
            mentions = everything if row.order_id in own else of_person if row.order_id in used else strong
        if spans := mentions.spans(row.value):
            cuts.append(_cut(row, spans))
    return cuts


def _cut(row: PersonalText, spans: list[tuple[int, int]]) -> Cut:
    return {
        "order": row.order_id,
        "place": row.place,
        "key": row.key,
        "path": row.path,
        "spans": [[start, end - start] for start, end in spans],
    }


def _related(connection: Connection, own: list[int]) -> set[int]:
    """Orders that refer to these: offers of the same page, and the other orders of the same subscriptions."""
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


def _touched_elsewhere(cuts: list[Cut], person: Person) -> list[int]:
    return sorted({cut["order"] for cut in cuts if cut["order"] is not None} - set(person.orders))


def _patterns(values: Iterable[Value]) -> tuple[list[str], list[str]]:
    """LIKE patterns for texts with the person's e-mails or phone numbers, with anything between their parts."""
    emails, numbers = set(), set()
    for value in values:
        if value.kind is Kind.EMAIL:
            for form in email_forms(value.text.strip()):
                key = unicodedata.normalize("NFKC", form).lower()
                local, _, domain = re.sub(r"([\\%_])", r"\\\1", key).rpartition("@")
                emails.add(f"%{local}%{domain}%")
        elif value.kind is Kind.PHONE:
            digits = digits_of(value.text) or ""
            if len(digits) >= _FEWEST_DIGITS:
                numbers.add(f"%{'%'.join(digits)}%")
    return sorted(emails), sorted(numbers)
