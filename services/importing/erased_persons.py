"""Later documents of orders from which a person was erased: nothing of that person comes back in.

Runs on a batch in the staging tables. The columns that an erasure empties are emptied there as well, from the same list
(db/schema/personal.py); in texts of orders that only mentioned the person, mentions are recognised by their digests and
cut out.
"""

from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from db.schema.personal import emptied
from services.privacy.known_values import Person, known_among, known_sizes
from services.privacy.mentions import Kind, Mentions, Value, candidates
from services.privacy.person import Reach, erase
from services.text.readings import key_of

_SQL: Final = Path(__file__).resolve().parents[2] / "db" / "statements" / "importing"
# An import does not wait for a mail server as an administrator does; a mail on its way is emptied once it has left.
_WAIT_SECONDS: Final = 2.0
_NEWLY_ERASED: Final = text(
    "SELECT s.order_id, CASE WHEN s.only_store THEN s.checkout_page_id END AS store_id "
    "FROM stage_order s JOIN orders o USING (order_id) "
    "WHERE s.known AND s.customer_erased AND NOT o.customer_erased ORDER BY s.order_id"
)
_IS_ANY_ERASED: Final = text(
    "SELECT EXISTS (SELECT FROM stage_order WHERE customer_erased) OR EXISTS (SELECT FROM stage_order s "
    "JOIN orders o USING (order_id) WHERE s.known AND (o.customer_erased "
    "OR EXISTS (SELECT FROM order_item i WHERE i.order_id = o.order_id AND i.license_erased)))"
)
_EXISTING: Final = text("SELECT order_id FROM stage_order WHERE known ORDER BY order_id")
# The texts of the batch: (statement that reads key and text, statement that writes by key, either :text or :json).
_TEXTS: Final = (
    (
        "SELECT order_id, number, text FROM stage_history WHERE order_id = ANY (:ids)",
        "UPDATE stage_history SET text = :text WHERE order_id = :order_id AND number = :number",
    ),
    (
        "SELECT order_id, position AS number, name AS text FROM stage_item WHERE order_id = ANY (:ids)",
        "UPDATE stage_item SET name = :text WHERE order_id = :order_id AND position = :number",
    ),
    (
        "SELECT order_id, number, name AS text FROM stage_document WHERE order_id = ANY (:ids)",
        "UPDATE stage_document SET name = :text WHERE order_id = :order_id AND number = :number",
    ),
    (
        "SELECT order_id, position AS number, additional_data AS text FROM stage_item WHERE order_id = ANY (:ids)",
        "UPDATE stage_item SET additional_data = :json WHERE order_id = :order_id AND position = :number",
    ),
    (
        "SELECT order_id, 0 AS number, additional_parameters AS text FROM stage_order WHERE order_id = ANY (:ids)",
        "UPDATE stage_order SET additional_parameters = :json WHERE order_id = :order_id AND :number = 0",
    ),
)


_LICENCE_USERS: Final = text(
    "SELECT order_id, position, license_email, license_first_name, license_last_name FROM stage_item "
    "WHERE order_id = ANY (:ids) AND NOT license_erased"
)

# A value of JSON that holds text.
Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


class _StagedText(NamedTuple):
    """A text of the batch: a string, or JSON with strings inside."""

    order_id: int
    number: int
    text: Json


class _LicenceUser(NamedTuple):
    order_id: int
    position: int
    license_email: str | None
    license_first_name: str | None
    license_last_name: str | None

    def values(self) -> set[Value]:
        pairs = (
            (Kind.EMAIL, self.license_email),
            (Kind.NAME, self.license_first_name),
            (Kind.NAME, self.license_last_name),
        )
        return {Value(kind, value) for kind, value in pairs if value}


def keep_erased(connection: Connection, *, has_existing: bool) -> None:
    """Remove erased data from the staged batch; `has_existing`: some of its orders are here already.

    An order whose document says for the first time that the customer is erased is emptied as an administrator's
    erasure would do it.
    """
    if has_existing:
        for store_id, order_ids in _newly_erased(connection).items():
            reach = Reach(store_id=store_id)
            erase(connection, Person(None, order_ids), reach, announce=False, wait_seconds=_WAIT_SECONDS)
    if connection.execute(_IS_ANY_ERASED).scalar_one():
        connection.exec_driver_sql(_script())
    if has_existing:
        _cut_mentions(connection)


def _newly_erased(connection: Connection) -> dict[int | None, list[int]]:
    """The orders by the store that alone may be touched; None for documents of files, which may be of any."""
    orders: dict[int | None, list[int]] = defaultdict(list)
    for row in connection.execute(_NEWLY_ERASED):
        orders[row.store_id].append(row.order_id)
    return orders


def _cut_mentions(connection: Connection) -> None:
    """Cut erased people out of the texts of existing orders, and out of their licence users."""
    sizes = known_sizes(connection, list(connection.execute(_EXISTING).scalars()), erased=True)
    if not sizes:
        return
    ids = sorted(sizes)
    texts = _staged_texts(connection, ids)
    users = [_LicenceUser(*row) for row in connection.execute(_LICENCE_USERS, {"ids": ids})]
    values: set[Value] = set()
    for _, row in texts:
        for string in _strings(row.text):
            values.update(candidates(string, sizes[row.order_id]))
    for user in users:
        values |= user.values()
    erased: dict[int, set[Value]] = defaultdict(set)
    for match in known_among(connection, ids, values, erased=True):
        erased[match.order_id].add(Value(Kind(match.kind), match.value))
    _rewrite(connection, texts, _mentions(connection, erased))
    for user in users:
        if _is_erased(user, erased[user.order_id]):
            _erase_user(connection, user)


def _staged_texts(connection: Connection, ids: list[int]) -> list[tuple[str, _StagedText]]:
    """The texts of these orders, each with the statement that writes it."""
    return [
        (write, _StagedText(*row))
        for read, write in _TEXTS
        for row in connection.execute(text(read), {"ids": ids})
        if row.text
    ]


def _rewrite(
    connection: Connection, texts: list[tuple[str, _StagedText]], mentions: dict[int, Mentions]
) -> None:
    """Write the texts that change without the mentions."""
    for write, row in texts:
        if row.order_id in mentions and (cut := _without(row.text, mentions[row.order_id])) != row.text:
            value = {"text": cut} if isinstance(cut, str) else {"json": Jsonb(cut)}
            connection.execute(text(write), value | {"order_id": row.order_id, "number": row.number})


def _erase_user(connection: Connection, user: _LicenceUser) -> None:
    connection.execute(
        text(
            f"UPDATE stage_item SET license_erased = true, {emptied('order_item')} "  # noqa: S608 - our list
            "WHERE order_id = :order_id AND position = :position"
        ),
        {"order_id": user.order_id, "position": user.position},
    )


def _mentions(connection: Connection, erased: dict[int, set[Value]]) -> dict[int, Mentions]:
    """By order. A first name alone counts in orders of which the person was a part, and not where they were named."""
    part_of = set(
        connection.execute(
            text(
                "SELECT order_id FROM orders WHERE order_id = ANY (:ids) AND customer_erased "
                "UNION SELECT order_id FROM order_item WHERE order_id = ANY (:ids) AND license_erased"
            ),
            {"ids": sorted(erased)},
        ).scalars()
    )
    return {
        order_id: Mentions(values, strong_only=order_id not in part_of) for order_id, values in erased.items()
    }


def _is_erased(user: _LicenceUser, erased: set[Value]) -> bool:
    """Whether this licence user was erased: by the e-mail, or without one by the whole name."""
    values = user.values()
    emails = {value for value in values if value.kind is Kind.EMAIL}
    keys = {(value.kind, key_of(value.text)) for value in erased}
    compared = emails or values
    return bool(compared) and all((value.kind, key_of(value.text)) in keys for value in compared)


def _strings(value: Json) -> list[str]:
    """All strings inside a value of JSON."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [string for part in parts for string in _strings(part)]


def _without(value: Json, mentions: Mentions) -> Json:
    if isinstance(value, str):
        return mentions.without(value)
    if isinstance(value, list):
        return [_without(part, mentions) for part in value]
    if isinstance(value, dict):
        return {name: _without(part, mentions) for name, part in value.items()}
    return value


@cache
def _script() -> str:
    script = (_SQL / "import_erased.sql").read_text(encoding="utf-8")
    return script.replace("{orders}", emptied("orders")).replace("{items}", emptied("order_item"))
