"""What the search finds, against answers worked out in Python from the same documents."""

import random
import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest

from db.connections.engine import viewer_transaction
from db.schema.statuses import DeliveryStatus, MainStatus, RefundStatus, SubscriptionFilter
from services.orders import search
from services.orders.filters import SearchInput, parse_filter
from services.orders.search import count_orders, find_orders, missing_ids
from tests.support import factories
from tests.support.factories import Document

BERLIN = ZoneInfo("Europe/Berlin")
STORES = ("shop-a", "shop-b", "shop-c")
FIRST_NAMES = (
    "Anna",
    "ANNA",
    "Änne",
    "Straße",
    "STRASSE",
    "İpek",
    "Σίσυφος",
    "ΣΊΣΥΦΟΣ",
    "Юлия",
    "юлия",
    "100%",
    "_nna",
    None,
)
LAST_NAMES = ("O’Connor", "Müller", "Mu\u0308ller", "  Müller ", "=1+1", "<b>x</b>", None)
PHONES = ("8 (905) 123-45-67", "89051234567", "+49 30 123", "8905", "٠١٢٣٤", None)
CODES = ("AAAA-1234-bbbb", "%%%-___-1", "straße-77", "aaaa-9999", "X\\Y\\Z")
DOMAIN = "example.com"
NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)


def fold(value: str | None) -> str | None:
    if value is None:
        return None
    folded = (
        unicodedata.normalize("NFC", value)
        .upper()
        .lower()
        .replace("i̇", "i")
        .replace("ß", "ss")
        .replace("ς", "σ")
    )
    return folded.strip() or None


def digits(value: str | None) -> str | None:
    return "".join(str(unicodedata.decimal(c)) for c in value or "" if c.isdecimal()) or None


def make(number: int, rng: random.Random) -> Document:
    # Every hour round the change to summer time in Berlin, so that days of 23 hours matter.
    created = NOW - timedelta(hours=rng.randint(0, 96))
    status = rng.choice(["paid", "paid", "not paid", "deleted", "terminated"])
    erased = rng.random() < 0.1
    customer: Document = {"erased": True} if erased else {
        "email": f"User{rng.randint(1, 40)}@{DOMAIN}",
        "first_name": rng.choice(FIRST_NAMES),
        "last_name": rng.choice(LAST_NAMES),
        "phone": rng.choice(PHONES),
        "company_name": rng.choice(["Ärzte GmbH", "ÄRZTE GMBH", None]),
        "vat_number": rng.choice(["DE 1", "de 1", "DE1", None]),
    }  # fmt: skip
    subscription = None
    if rng.random() < 0.6:
        subscription = {
            "id": f"S{number}",
            "type": rng.choice(["AR", "PMR", "OTHER"]),
            "status": rng.choice(["active", "not paid", "cancelled"]),
            "parent_order_id": rng.choice([None, 5]),
        }
    return factories.document(
        order_id=number,
        checkout_page=rng.choice(STORES),
        status=status,
        create_date=created.isoformat(),
        pay_date=(created + timedelta(hours=rng.randint(0, 30))).isoformat() if status == "paid" else None,
        customer=customer,
        payment={"card_last_4": rng.choice(["0042", "4242", None])},
        items=[
            factories.item(
                delivered=rng.random() < 0.5,
                activation_codes=[{"code": rng.choice(CODES), "deleted": rng.random() < 0.3}]
                * rng.randint(0, 1),
                subscription=subscription,
            ),
            *([factories.item(delivered=rng.random() < 0.5)] if rng.random() < 0.4 else []),
        ],
    )


@pytest.fixture(scope="module")
def orders(database: str) -> dict[int, Document]:
    rng = random.Random(20261123)
    made = {n: make(n, rng) for n in range(1001, 1401)}
    factories.take_in(*made.values())
    return made


@pytest.fixture(scope="module")
def refunds(orders: dict[int, Document]) -> dict[int, str]:
    """The status of the newest refund request of some orders."""
    rng, found = random.Random(7), {}
    for number in rng.sample(sorted(orders), 60):
        status = rng.choice(list(RefundStatus))
        is_closed = status in (RefundStatus.COMPLETED, RefundStatus.REFUSED)
        result = {RefundStatus.COMPLETED: "full", RefundStatus.REFUSED: "refused"}.get(status)
        factories.run(
            "INSERT INTO refund_request (order_id, checkout_page_id, status, result, reason, requester_name, "
            "requester_email, taken_at, closed_at) SELECT order_id, checkout_page_id, :status, :result, 'r', 'n', 'e', "
            "CASE WHEN :taken THEN now() END, CASE WHEN :closed THEN now() END FROM orders WHERE order_id = :id",
            id=number, status=status, result=result, taken=status is not RefundStatus.REQUESTED, closed=is_closed,
        )  # fmt: skip
        found[number] = status
    return found


@pytest.fixture(scope="module")
def anna(orders: dict[int, Document]) -> int:
    return factories.account("anna", stores=["shop-a", "shop-b"])


def found_ids(account_id: int, typed: SearchInput, zone: ZoneInfo = BERLIN) -> list[int]:
    """All that is found, page by page; checks on the way that the count agrees."""
    order_filter = parse_filter(typed, zone=zone)
    viewer = factories.viewer(account_id)
    with viewer_transaction(account_id) as connection:
        first = page = find_orders(connection, viewer, order_filter, limit=37)
        ids = [row.order_id for row in page.rows]
        while page.next is not None:
            page = find_orders(connection, viewer, order_filter, after=page.next, limit=37)
            ids += [row.order_id for row in page.rows]
        assert count_orders(connection, viewer, order_filter).number == len(ids)
        assert count_orders(connection, viewer, order_filter, page=first).number == len(ids)
    return ids


Oracle = Callable[[Document, dict[int, str]], bool]


def has_day(value: str | None, start: date | None, end: date | None) -> bool:
    if value is None:
        return False
    day = datetime.fromisoformat(value).astimezone(BERLIN).date()
    return (start or date.min) <= day <= (end or start or date.max)


def shown_subscriptions(order: Document) -> list[bool]:
    """Whether each subscription that the order shows is activated."""
    return [
        carried["status"] != "cancelled"
        for one in order["items"]
        if (carried := one.get("subscription")) is not None
        and carried["type"] in ("AR", "PMR")
        and (order["pay_date"] or carried["parent_order_id"])
    ]


def personal(field: str, wanted: str) -> Oracle:
    return lambda order, _: fold(order["customer"].get(field)) == fold(wanted) and fold(wanted) is not None


def is_delivered(order: Document) -> bool:
    return all(one["delivered"] for one in order["items"])


# One filled field each: (what is typed, the rule worked out by hand).
FIELDS: dict[str, tuple[dict[str, object], Oracle]] = {
    "created one day": (
        {"created_from": date(2026, 3, 29)},
        lambda o, _: has_day(o["create_date"], date(2026, 3, 29), None),
    ),
    "created up to": (
        {"created_to": date(2026, 3, 27)},
        lambda o, _: has_day(o["create_date"], None, date(2026, 3, 27)),
    ),
    "created from to": (
        {"created_from": date(2026, 3, 28), "created_to": date(2026, 3, 29)},
        lambda o, _: has_day(o["create_date"], date(2026, 3, 28), date(2026, 3, 29)),
    ),
    "paid from to": (
        {"paid_from": date(2026, 3, 28), "paid_to": date(2026, 3, 28)},
        lambda o, _: has_day(o["pay_date"], date(2026, 3, 28), date(2026, 3, 28)),
    ),
    "main status": (
        {"statuses": frozenset({MainStatus.NOT_PAID, MainStatus.DELETED})},
        lambda o, _: o["status"] in ("not paid", "deleted"),
    ),
    "delivered": ({"delivery": frozenset({DeliveryStatus.DELIVERED})}, lambda o, _: is_delivered(o)),
    "not delivered": ({"delivery": frozenset({DeliveryStatus.NOT_DELIVERED})}, lambda o, _: not is_delivered(o)),
    "refund": (
        {"refunds": frozenset({RefundStatus.REQUESTED, RefundStatus.REFUSED})},
        lambda o, r: r.get(o["order_id"]) in ("requested", "refused"),
    ),
    "ids": (
        {"order_ids": "A0000001003; 1010\n1390 ,007777"},
        lambda o, _: o["order_id"] in (1003, 1010, 1390),
    ),
    "phone": ({"phone": "8-905-123-45-67"}, lambda o, _: digits(o["customer"].get("phone")) == "89051234567"),
    "part of a phone": ({"phone": "8 (905)"}, lambda o, _: digits(o["customer"].get("phone")) == "8905"),
    "first name": ({"first_name": " anna\u00a0"}, personal("first_name", "anna")),
    "first name sigma": ({"first_name": "σίσυφος"}, personal("first_name", "ΣΊΣΥΦΟΣ")),
    "first name sharp s": ({"first_name": "strasse"}, personal("first_name", "Straße")),
    "first name cyrillic": ({"first_name": "ЮЛИЯ"}, personal("first_name", "юлия")),
    "first name wildcard": ({"first_name": "_nna"}, personal("first_name", "_nna")),
    "last name two ways": ({"last_name": "MÜLLER"}, personal("last_name", "Müller")),
    "last name formula": ({"last_name": "=1+1"}, personal("last_name", "=1+1")),
    "email": ({"email": f"USER7@{DOMAIN}"}, personal("email", f"user7@{DOMAIN}")),
    "company": ({"company": "ärzte gmbh"}, personal("company_name", "Ärzte GmbH")),
    "vat": ({"vat_number": "de 1"}, personal("vat_number", "DE 1")),
    "card": (
        {"card_last_4": " 0042 "},
        lambda o, _: not o["customer"].get("erased") and o["payment"]["card_last_4"] == "0042",
    ),
    "code": ({"activation_code": "aa-1"}, lambda o, _: "aa-1" in " ".join(codes(o))),
    "code wildcards": ({"activation_code": "%-_"}, lambda o, _: "%-_" in " ".join(codes(o))),
    "code backslash": ({"activation_code": "x\\y"}, lambda o, _: "x\\y" in " ".join(codes(o))),
    "store": ({"stores": ("shop-b", "shop-c")}, lambda o, _: o["checkout_page"] == "shop-b"),
    "with subscription": (
        {"subscription": SubscriptionFilter.WITH},
        lambda o, _: bool(shown_subscriptions(o)),
    ),
    "activated": ({"subscription": SubscriptionFilter.ACTIVATED}, lambda o, _: True in shown_subscriptions(o)),
    "deactivated": ({"subscription": SubscriptionFilter.DEACTIVATED}, lambda o, _: False in shown_subscriptions(o)),
}  # fmt: skip


def codes(order: Document) -> list[str]:
    return [fold(c["code"]) or "" for one in order["items"] for c in one.get("activation_codes", [])]


def expected(orders: dict[int, Document], refunds: dict[int, str], *rules: Oracle) -> list[int]:
    mine = [o for o in orders.values() if o["checkout_page"] in ("shop-a", "shop-b")]
    kept = [o for o in mine if all(rule(o, refunds) for rule in rules)]
    newest_first = sorted(
        kept, key=lambda o: (datetime.fromisoformat(o["create_date"]), o["order_id"]), reverse=True
    )
    return [o["order_id"] for o in newest_first]


def test_an_empty_form_lists_exactly_the_viewers_orders_newest_first(orders, refunds, anna) -> None:
    assert found_ids(anna, SearchInput()) == expected(orders, refunds)


@pytest.mark.parametrize("name", FIELDS)
def test_each_field_alone_finds_what_its_rule_says(name: str, orders, refunds, anna) -> None:
    typed, rule = FIELDS[name]
    wanted = expected(orders, refunds, rule)
    assert found_ids(anna, SearchInput(**typed)) == wanted
    assert 0 < len(wanted) < len(orders), (
        "this case would pass without any filter, or with one that finds nothing"
    )


def pairs() -> Iterator[tuple[str, str]]:
    for one, other in combinations(FIELDS, 2):
        groups = [
            {name.split("_from")[0].split("_to")[0] for name in FIELDS[case][0]} for case in (one, other)
        ]
        if not groups[0] & groups[1]:
            yield one, other


def test_all_pairs_of_fields_are_combined_with_and(orders, refunds, anna) -> None:
    wrong, filled = [], 0
    for one, other in pairs():
        (typed, rule), (more, second) = FIELDS[one], FIELDS[other]
        wanted = expected(orders, refunds, rule, second)
        filled += bool(wanted)
        if found_ids(anna, SearchInput(**typed, **more)) != wanted:
            wrong.append((one, other))
    assert wrong == []
    assert filled > 200


@pytest.mark.parametrize("other", ["store", "created one day", "email", "ids", "not delivered"])
@pytest.mark.parametrize("code", ["code", "code wildcards", "code backslash"])
def test_what_very_many_codes_contain_is_found_just_so(
    code: str, other: str, orders, refunds, anna, monkeypatch: pytest.MonkeyPatch
) -> None:
    (typed, rule), (more, second) = FIELDS[code], FIELDS[other]
    monkeypatch.setattr(search, "_MOST_CODES", 3)
    assert found_ids(anna, SearchInput(**typed)) == expected(orders, refunds, rule)
    assert found_ids(anna, SearchInput(**typed, **more)) == expected(orders, refunds, rule, second)


def test_paging_back_gives_the_same_pages(orders, anna) -> None:
    viewer = factories.viewer(anna)
    order_filter = parse_filter(SearchInput(), zone=BERLIN)
    with viewer_transaction(anna) as connection:
        first = find_orders(connection, viewer, order_filter, limit=10)
        second = find_orders(connection, viewer, order_filter, after=first.next, limit=10)
        third = find_orders(connection, viewer, order_filter, after=second.next, limit=10)
        back = find_orders(connection, viewer, order_filter, before=third.previous, limit=10)
        start = find_orders(connection, viewer, order_filter, before=back.previous, limit=10)
    assert back.rows == second.rows
    assert (start.rows, start.previous) == (first.rows, None)


def test_ten_thousand_ids_are_one_search_and_the_missing_ones_are_named(orders, anna) -> None:
    ids = "\n".join(f"A{n:010}" for n in range(1, 10_001))
    mine = {n for n, o in orders.items() if o["checkout_page"] in ("shop-a", "shop-b")}
    assert set(found_ids(anna, SearchInput(order_ids=ids))) == mine
    order_filter = parse_filter(SearchInput(order_ids="1, " + str(min(mine))), zone=BERLIN)
    with viewer_transaction(anna) as connection:
        assert missing_ids(connection, factories.viewer(anna), order_filter) == (1, ("1",))


HOSTILE = (
    "'; DROP TABLE orders; --", "<img src=x onerror=alert(1)>", "![x](http://evil.example/x.png)", "=HYPERLINK(1)",
    "%", "_", "\\", "\u202eabc", "a\0b", "\ud800", "👨‍👩‍👧‍👦", "1" * 40, "x" * 100_000, "\t \u3000", "ｱ" * 499,
)  # fmt: skip


@pytest.mark.parametrize("name", [
    "order_ids", "phone", "first_name", "last_name", "email", "company", "vat_number", "card_last_4", "activation_code",
])  # fmt: skip
def test_hostile_text_in_any_field_finds_nothing_or_is_refused_in_words(name: str, orders, anna) -> None:
    from services.orders.filters import InvalidSearch

    for value in HOSTILE:
        typed = SearchInput(**{name: value})
        try:
            found = found_ids(anna, typed)
        except InvalidSearch as error:
            assert re.search(r"\w+ \w+.*[.]$", error.errors[name], re.S)
        else:
            is_blank = not value.strip()
            assert found == [] or is_blank


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Europe/Berlin", "Asia/Kolkata"])
def test_a_day_of_the_viewer_holds_the_orders_of_that_day_there(zone: str, orders, anna) -> None:
    there = ZoneInfo(zone)
    for day in (date(2026, 3, 27), date(2026, 3, 28), date(2026, 3, 29)):
        wanted = {
            n
            for n, o in orders.items()
            if o["checkout_page"] != "shop-c"
            and datetime.fromisoformat(o["create_date"]).astimezone(there).date() == day
        }
        assert set(found_ids(anna, SearchInput(created_from=day), there)) == wanted
