"""What holds for every text: it is read without an error, nothing is dropped, and what the form finds is offered."""

import time
from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.schema.statuses import DeliveryStatus, MainStatus, RefundStatus, SubscriptionFilter
from pages.components.orders.filter_chips import active_filters
from services.orders.filters import TEXT_FIELDS, SearchInput, parse_filter
from services.orders.periods import Period
from services.recognition.labels import literal_label
from services.recognition.readings import checked
from services.recognition.recognizer import recognize
from services.recognition.segmentation import pieces_of
from services.recognition.tokens import cleaned, tokens_of
from services.recognition.vocabulary import CONNECTING
from services.time_zones import day_text, format_day
from tests.services.recognition.support import CONTEXT, TODAY

UTC = ZoneInfo("UTC")
SAMPLE = (
    "Köhler Anna paid not delivered refunded last month week Tuesday 4242 card order key email: anna@example.com 1-7"
    ' Nov 2026 May #1001 A0012345678 +49 30 1234567 ( ) , ; : “ ” " - / 3/11 demo-eu Demo Europe since until between'
    " and Ltd GmbH ООО 山田 太郎 김민수 محمد 14:05 31 Feb name: vat DE123456789 €49 \u202e \u200f e\u0301 \x00 \n"
)
WORDS = st.sampled_from(SAMPLE.split(" "))
# The others need a label or a currency, a country is one that has a name, and a phone or a VAT number may be cut out of
# a longer text.
FIELDS = sorted(
    TEXT_FIELDS.keys()
    - {"total_from", "total_to", "currency", "country", "product", "refund_reason", "phone", "vat_number"}
)
TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(WORDS, max_size=12).map(" ".join),
    st.lists(st.one_of(WORDS, st.text(max_size=6)), max_size=12).map("".join),
)


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_every_text_is_read_and_every_reading_is_a_search(text: str) -> None:
    recognition = recognize(text, CONTEXT)
    for reading in recognition.readings:
        assert parse_filter(reading.typed, zone=UTC, today=CONTEXT.today).typed == reading.typed
        assert reading.typed.filled()
    if tokens_of(cleaned(text).strip()):
        assert recognition.readings or recognition.unplaced


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_nothing_is_dropped(text: str) -> None:
    tokens = tokens_of(cleaned(text).strip())[:60]
    for names in (False, True):
        pieces = pieces_of(tokens, CONTEXT, names=names)
        covered = [position for piece in pieces for position in piece.positions]
        left = set(range(len(tokens))) - set(covered)
        assert len(covered) == len(set(covered))
        assert {tokens[at].key.rstrip(".") for at in left} <= CONNECTING
    own = [reading for reading in recognize(text, CONTEXT).readings if not reading.literal]
    for reading in own[:1]:
        said = " ".join((*reading.pieces, *reading.unplaced))
        for token in tokens:
            assert token.key.rstrip(".") in CONNECTING or token.text in said


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(FIELDS),
    st.one_of(TEXTS, st.text(max_size=20), st.from_regex(r"[A-Z0-9-]{3,12}")),
)
def test_what_the_form_finds_with_one_text_field_is_offered(field: str, text: str) -> None:
    typed = checked({field: text})
    if typed is None or not typed.filled() or len(text) > 100:
        return
    readings = recognize(text, CONTEXT).readings
    if not readings:  # marks alone say nothing, and the page says that
        assert not any(character.isalnum() for character in text)
        return
    offered = [reading.typed for reading in readings]
    is_labelled = literal_label(text, tokens_of(cleaned(text))) is not None
    is_plain = not is_labelled and (len(readings) > 1 or readings[0].typed == typed)
    likely = {"email": "@", "order_ids": "0123456789"}.get(field)
    if is_plain and (likely is None or any(c in text for c in likely)):
        assert typed in offered


@pytest.mark.parametrize("order", list(permutations(range(4)))[::3])
def test_the_order_of_the_pieces_does_not_matter(order: tuple[int, ...]) -> None:
    texts = (
        ("anna@example.com", "not delivered", "last week", "card 4242"),
        ("+49 30 1234567", "demo-eu", "paid yesterday", "refunded"),
        ("order 1001", "created 1-7 Nov", "Acme Ltd", "unpaid"),
        ("key AAAA-1234", "VAT DE123456789", "paid", "since Monday"),
    )
    for pieces in texts:
        expected = recognize(", ".join(pieces), CONTEXT).readings[0]
        other = recognize(", ".join(pieces[n] for n in order), CONTEXT).readings[0]
        assert other.typed == expected.typed
        assert not other.unplaced


DAYS = st.dates(date(2000, 1, 1), TODAY)
PAIRS = st.tuples(DAYS, st.integers(1, 400).map(timedelta)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@settings(max_examples=60, deadline=None)
@given(DAYS, PAIRS)
def test_every_day_that_the_page_writes_comes_back(day: date, pair: tuple[date, date]) -> None:
    for text in (format_day(day), day_text(day), day.isoformat(), f"{format_day(day)}, 14:05"):
        assert recognize(text, CONTEXT).readings[0].typed == SearchInput(created_from=day), text
    for typed in (
        SearchInput(created_from=pair[0], created_to=pair[1]),
        SearchInput(paid_from=pair[0], paid_to=pair[1]),
        SearchInput(created_to=day),
        SearchInput(paid_to=day),
        SearchInput(paid_from=day),
    ):
        [(label, _)] = active_filters(typed)
        assert recognize(label, CONTEXT).readings[0].typed == typed, label


def test_every_chip_without_a_free_text_comes_back() -> None:
    searches = [
        *(SearchInput(statuses=frozenset({status})) for status in MainStatus),
        *(SearchInput(delivery=frozenset({status})) for status in DeliveryStatus),
        *(SearchInput(refunds=frozenset({status})) for status in RefundStatus),
        *(
            SearchInput(subscription=kind)
            for kind in SubscriptionFilter
            if kind is not SubscriptionFilter.ANY
        ),
        *(SearchInput(stores=(store.name,)) for store in CONTEXT.stores),
        *(SearchInput(created_period=period) for period in Period),
        *(SearchInput(paid_period=period) for period in Period),
        SearchInput(currency="EUR"),
        SearchInput(currency="EUR", total_from="10", total_to="20.5"),
        SearchInput(currency="USD", total_from="1234.50"),
        SearchInput(currency="JPY", total_to="4900"),
        SearchInput(currency="EUR", total_from="49", total_to="49"),
        SearchInput(country="DE"),
        SearchInput(country="US"),
        SearchInput(payment_method="PayPal"),
        SearchInput(product="Antivirus"),
    ]
    for search in searches:
        typed = parse_filter(search, zone=UTC, today=TODAY).typed
        [(label, _)] = active_filters(typed)
        assert _plain(recognize(label, CONTEXT).readings[0].typed) == _plain(typed), label


def _plain(typed: SearchInput) -> SearchInput:
    """With amounts as numbers: a page writes 49 as 49.00."""
    lowest, highest = (str(float(text)) if text else "" for text in (typed.total_from, typed.total_to))
    return replace(typed, total_from=lowest, total_to=highest)


VALUES = {
    "order_ids": st.from_regex(r"(A[0-9]{10}|ALS-[0-9]{7}|[0-9]{5,12}|#[0-9]{4})", fullmatch=True),
    "email": st.emails(),
    "phone": st.from_regex(r"\+49 30 [0-9]{6,8}", fullmatch=True),
    "card_last_4": st.from_regex(r"[0-9]{4}", fullmatch=True),
    "activation_code": st.from_regex(r"[A-Z0-9]{4}-[A-Z0-9]{4}", fullmatch=True),
    "vat_number": st.from_regex(r"DE[1-9][0-9]{8}", fullmatch=True),
    "company": st.sampled_from(
        ["Acme, Inc.", "Refunded Ltd", "1001 Nights", "Yesterday & Sons GmbH", "ООО «Ромашка»"]
    ),
    "first_name": st.sampled_from(["Anna", "May", "山田", "Paid", "An", "Anna Maria"]),
    "last_name": st.sampled_from(["Köhler", "van der Berg", "Last", "김", "O'Brien", "Müller-Lüdenscheidt"]),
}


@settings(max_examples=25, deadline=None)
@given(st.data())
@pytest.mark.parametrize("field", sorted(VALUES))
def test_every_chip_of_a_text_comes_back(field: str, data: st.DataObject) -> None:
    typed = checked({field: data.draw(VALUES[field])})
    assert typed is not None
    [(label, _)] = active_filters(typed)
    assert typed in [reading.typed for reading in recognize(label, CONTEXT).readings], label


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "4242 " * 100_000,
        "(" * 1_000_000,
        "e\u0301" * 200_000,
        "\0" * 1_000_000,
        "\u202e" * 1_000_000,
        "Köhler " * 40_000,
        "\ud800" * 1_000,
        '"' * 500,
        "1/1 " * 125,
        "Nov " * 60,
        "key: " * 60,
        "@" * 500,
        "1.1" * 160,
    ],
    ids=lambda text: ascii(text[:4]),
)
def test_hostile_texts_take_a_bounded_time(text: str) -> None:
    start = time.process_time()
    recognize(text, CONTEXT)
    assert time.process_time() - start < 4
