"""What is typed into the search form: the parsers of single fields, days, and the filter as a whole."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.schema.statuses import MainStatus
from db.statements.conditions import AskedOrder
from services.errors import InvalidInput
from services.orders.filters import InvalidSearch, OrderFilter, SearchInput, parse_filter
from services.orders.history_links import split_text
from services.orders.search_fields import (
    parse_card,
    parse_code,
    parse_country,
    parse_currency,
    parse_ids,
    parse_phone,
    parse_total,
)
from services.text.fields import FieldError, parse_text
from services.time_zones import day_start, days_to_interval

UTC = ZoneInfo("UTC")
ZONES = ("America/Sao_Paulo", "Europe/Berlin", "Asia/Kolkata", "Pacific/Apia", "UTC")


def numbers(text: str) -> tuple[int | None, ...] | None:
    asked = parse_ids(text)[1]
    return None if asked is None else tuple(order.number for order in asked)


@given(
    st.lists(st.integers(1, 2**63 - 1), max_size=50),
    st.sampled_from(
        [" ", ",", ";", "\n", "\r\n", " ; ", "\t,\t", "，", "、", "/", " ／ ", "；", "،", "|", "\u3000"]
    ),
)
def test_ids_come_back_whatever_separates_them(ids: list[int], separator: str) -> None:
    text = separator.join(f"A{n:012}" for n in ids)
    assert numbers(text) == (tuple(dict.fromkeys(ids)) if ids else None)


@pytest.mark.parametrize(("text", "expected"), [
    ("A0012345678", (12345678,)), ("  ", None), ("0", (None,)), ("9" * 40, (None,)),
    ("1;;2, ,3", (1, 2, 3)), ("#5", (5,)), ("１２", (12,)), ("০১৭", (17,)), ("\u202b12\u202c", (12,)),
    ("12346177.0", (12346177,)), ("12346177.00\n5", (12346177, 5)), ("ALS-2346177", (2346177,)),
])  # fmt: skip
def test_only_digits_of_an_id_count(text: str, expected: tuple[int | None, ...] | None) -> None:
    assert numbers(text) == expected


def test_longer_spellings_come_along_where_they_may_be_a_name() -> None:
    with pytest.raises(FieldError, match="“INV” has no digits"):
        parse_ids("INV 2024/17")
    assert parse_ids("INV/2024 17")[1] == (
        AskedOrder("2024", 2024, "INV/2024", "INV/2024 17"),
        AskedOrder("17", 17, None, "INV/2024 17"),
    )
    assert parse_ids("A-2024/17")[1] == (
        AskedOrder("A-2024", 2024, "A-2024/17"),
        AskedOrder("17", 17, "A-2024/17"),
    )
    assert parse_ids("1001, 1002")[1] == (
        AskedOrder("1001", 1001, None, "1001, 1002"),
        AskedOrder("1002", 1002, None, "1001, 1002"),
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("12346177.5", "could mean several"),
        ("12.346.177", "could mean several"),
        ("1.2346177E+7", "spreadsheet has shortened"),
        ("ana1@example.com", "is an e-mail address"),
    ],
)
def test_what_cannot_be_told_apart_is_refused_in_words(text: str, sentence: str) -> None:
    with pytest.raises(FieldError, match=sentence):
        parse_ids(f"12345678\n{text}")


def test_a_token_without_digits_is_named() -> None:
    with pytest.raises(FieldError, match=r"“abc”.*1 more"):
        parse_ids("12 abc 13 de")


@given(st.text())
def test_any_text_is_parsed_or_refused_in_words(text: str) -> None:
    parsers = (parse_ids, parse_phone, parse_card, parse_code, parse_text, parse_country, parse_currency)
    for parse in (*parsers, lambda text: parse_total(text, "EUR")):
        try:
            trimmed, value = parse(text)
        except FieldError as error:
            assert str(error).endswith(".")
        else:
            assert trimmed == trimmed.strip(" ") and (value is not None or not trimmed)
            assert "\0" not in trimmed


@pytest.mark.parametrize("text", ["123", "12345", "12 34", "abcd", "12a4"])
def test_a_card_needs_exactly_four_digits(text: str) -> None:
    with pytest.raises(FieldError):
        parse_card(text)


def test_a_code_needs_three_characters() -> None:
    with pytest.raises(FieldError):
        parse_code(" ab ")
    assert parse_code(" a%_ ")[1] == "a%_"


@pytest.mark.parametrize(("text", "amount"), [
    ("49.90", "49.90"), ("49,90", "49.90"), (" 1,234.50 ", "1234.50"), ("1.234,50", "1234.50"), ("1 234,5", "1234.5"),
    ("1\u00a0234\u00a0567", "1234567"), ("1’234.50", "1234.50"), ("1,234", "1234"), ("1.234.567", "1234567"),
    ("0.125", "0.125"), ("1.2345", "1.2345"), ("-5", "-5"), ("\u22125.50", "-5.50"), ("٤٩", "49"), ("007", "7"),
])  # fmt: skip
def test_an_amount_is_written_in_many_ways(text: str, amount: str) -> None:
    trimmed, value = parse_total(text, "EUR")
    assert value == Decimal(amount)
    assert parse_total(trimmed, "EUR") == (trimmed, value)


@pytest.mark.parametrize(
    "text", ["abc", "1.2.3", "12,34,56", "1,23.4", "1e5", "EUR 5", "--5", ".", "5.", "1" * 16]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(FieldError):
        parse_total(text, "EUR")


def test_a_point_before_three_digits_is_refused_unless_the_currency_has_as_many() -> None:
    with pytest.raises(FieldError, match=r"1234 or 1\.23[.]"):
        parse_total("1.234", "EUR")
    assert parse_total("1.234", "KWD")[1] == Decimal("1.234")


@given(st.decimals(Decimal("-99999999"), Decimal("99999999"), places=2))
def test_an_amount_as_pages_show_it_is_read_back(amount: Decimal) -> None:
    assert parse_total(f"{amount:,.2f}", "EUR")[1] == amount


@pytest.mark.parametrize(("fields", "errors"), [
    ({"total_from": "5"}, {"currency": "A total needs its currency. Please choose one."}),
    ({"total_to": "x", "currency": "EUR"}, {"total_to": "This is not an amount. Please write one such as 49.90."}),
    ({"total_from": "5", "total_to": "4.99", "currency": "EUR"}, {"total_to": "Total to is below total from."}),
    ({"total_from": "5", "currency": "EURO"}, {"currency": "This is not the code of a currency, such as EUR."}),
])  # fmt: skip
def test_totals_that_cannot_be_compared_say_why(fields: dict[str, str], errors: dict[str, str]) -> None:
    with pytest.raises(InvalidSearch) as raised:
        parse_filter(SearchInput(**fields), zone=UTC)  # type: ignore[arg-type]
    assert raised.value.errors == errors


@given(st.dates(date(1990, 1, 1), date(2040, 1, 1)), st.sampled_from(ZONES))
def test_days_follow_one_another_without_gap_or_overlap(day: date, zone: str) -> None:
    there = ZoneInfo(zone)
    start, end = days_to_interval(day, None, there)
    assert start is not None and end == day_start(day + timedelta(days=1), there)
    # A day that a zone left out (Apia's 30 December 2011) has no length; all others begin within themselves.
    assert timedelta(0) <= end - start <= timedelta(hours=25)
    if end > start:
        assert start.astimezone(there).date() == day
        assert (end - timedelta(microseconds=1)).astimezone(there).date() == day


@pytest.mark.parametrize(("zone", "day", "hours"), [
    ("Europe/Berlin", date(2026, 3, 29), 23), ("Europe/Berlin", date(2026, 10, 25), 25),
    ("Asia/Kolkata", date(2026, 3, 29), 24),
    ("America/Sao_Paulo", date(2018, 11, 4), 23), ("America/Sao_Paulo", date(2018, 2, 17), 25),
])  # fmt: skip
def test_a_day_is_as_long_as_it_is_there(zone: str, day: date, hours: int) -> None:
    start, end = days_to_interval(day, day, ZoneInfo(zone))
    assert start and end and end - start == timedelta(hours=hours)


def test_to_alone_has_no_beginning_and_neither_is_no_condition() -> None:
    assert days_to_interval(None, date(2026, 3, 1), UTC) == (None, datetime(2026, 3, 2, tzinfo=UTC))
    assert days_to_interval(None, None, UTC) == (None, None)


def test_every_wrong_field_has_its_sentence() -> None:
    typed = SearchInput(
        order_ids="x",
        phone="x",
        card_last_4="1",
        activation_code="a",
        paid_from=date(2026, 2, 2),
        paid_to=date(2026, 2, 1),
    )
    with pytest.raises(InvalidSearch) as raised:
        parse_filter(typed, zone=UTC)
    assert set(raised.value.errors) == {"order_ids", "phone", "card_last_4", "activation_code", "paid_to"}


@given(st.builds(
    SearchInput, created_from=st.none() | st.dates(date(2000, 1, 1), date(2030, 1, 1)), first_name=st.text(max_size=30),
    phone=st.from_regex(r"\A[0-9 ()+-]{0,12}\Z"), statuses=st.frozensets(st.sampled_from(MainStatus)),
    stores=st.lists(st.text(min_size=1, max_size=9), max_size=3).map(tuple),
))  # fmt: skip
def test_a_saved_search_is_the_same_search_again(typed: SearchInput) -> None:
    try:
        made = parse_filter(typed, zone=ZoneInfo("Europe/Berlin"))
    except InvalidSearch:
        return
    assert OrderFilter.from_json(made.to_json()) == made


@pytest.mark.parametrize("stored", [
    {}, {"zone": "UTC"}, {"zone": "Nowhere/Land", "fields": {}}, {"zone": "UTC", "fields": {"created_from": "x"}},
    {"zone": "UTC", "fields": {"nonsense": "x"}}, {"zone": "UTC", "fields": {"statuses": ["x"]}},
    {"zone": "UTC", "fields": []},
])  # fmt: skip
def test_a_stored_search_that_makes_no_sense_is_refused(stored: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        OrderFilter.from_json(stored)


@given(st.text(), st.dictionaries(st.integers(1000, 99_999), st.just("A1"), max_size=3))
def test_splitting_a_text_loses_nothing(text: str, names: dict[int, str]) -> None:
    assert "".join(part.text for part in split_text(text, names)) == text


def test_only_known_orders_become_references() -> None:
    parts = split_text("A0000012345 and 12345, 99999 or user12345@x.example", {12345: "A0000012345"})
    assert [(part.text, part.order_id) for part in parts if part.order_id] == [
        ("A0000012345", 12345),
        ("12345", 12345),
    ]
