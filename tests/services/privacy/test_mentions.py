"""Where a text mentions a person: every way of writing a value, and nothing that is not theirs."""

import unicodedata
from sys import maxunicode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.privacy.mentions import Kind, Mentions, Value, candidates
from services.text.keys import digits_of, search_key
from services.text.readings import key_of, readings

VALUES = [
    Value(Kind.EMAIL, "Ines.Araujo@example.com"), Value(Kind.EMAIL, "post@bücher.example"),
    Value(Kind.NAME, "Inêsita"), Value(Kind.NAME, "Araújo (Sá)"), Value(Kind.NAME, "李明"), Value(Kind.NAME, "O'Brien"),
    Value(Kind.PHONE, "8 (905) 777-45-67"), Value(Kind.COMPANY, "Araújo+Filhos Lda."),
    Value(Kind.ADDRESS, "Rua do Ouro 17, Lisboa"), Value(Kind.VAT, "PT 999.888"), Value(Kind.CARD, "7391"),
    Value(Kind.CARD_DATE, "11/2031"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("to INES.ARAUJO@EXAMPLE.COM, x", "to deleted, x"),
        ("\u200bines.araujo@example.com\ufeff", "\u200bdeleted\ufeff"),
        ("before\u200bines.araujo@example.com", "before\u200bdeleted"),
        ("ines.ara\u00adujo@example.com", "deleted"),
        ("ｉｎｅｓ.araujo＠example.com", "deleted"),
        ("<a href='mailto:ines.araujo%40example.com'>", "<a href='mailto:deleted'>"),
        ("ines.araujo&#64;example.com &#x49;nes.araujo@example.com", "deleted deleted"),
        ("ines.araujo=40exa=\nmple.com", "deleted"),
        ("post@xn--bcher-kva.example POST@B\u0075\u0308CHER.example", "deleted deleted"),
        (unicodedata.normalize("NFD", "INÊSITA was here"), "deleted was here"),
        ("IN&Ecirc;SITA In%C3%AAsita In%25C3%25AAsita In=C3=AAsita In\\u00easita", "deleted " * 4 + "deleted"),
        ("Araújo, (SÁ) Inêsita", "deleted"),
        ("<b>Inêsita</b> <i>Araújo Sá</i>", "<b>deleted</i>"),
        ("O&#39;Brien o’brien", "deleted deleted"),
        ("客户李明来电", "客户deleted来电"),
        ("89057774567, ٨٩٠٥٧٧٧٤٥٦٧, +8-905-777.45.67", "deleted, deleted, deleted"),
        ("ARAÚJO & FILHOS LDA; Rua do Ouro, 17<br>Lisboa; rua do ouro 17", "deleted; deleted; deleted"),
        ("PT999888 pt-999-888", "deleted deleted"),
        ("card ***7391, 7391; 11/2031", "card ***deleted, deleted; deleted"),
    ],
)  # fmt: skip
def test_every_way_of_writing_it(text: str, left: str) -> None:
    assert Mentions(VALUES, strong_only=False).without(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "x.ines.araujo@example.com", "ines.araujo@example.community", "Inêsitas", "189057774567", "905 777-45-67",
        "2026-7391", "17391", "client of Araújo", "100 %, 5 = 5, a & b", "",
    ],
)  # fmt: skip
def test_what_is_not_theirs_stays(text: str) -> None:
    assert Mentions(VALUES, strong_only=False).without(text) == text


def test_elsewhere_only_what_is_enough_to_know_somebody_by() -> None:
    values = [
        Value(Kind.NAME, "Li"),
        Value(Kind.NAME, "Na"),
        Value(Kind.PHONE, "12345"),
        Value(Kind.CARD, "7391"),
    ]
    assert Mentions(values, strong_only=True).without("Li Na, 12345, 7391") == "Li Na, 12345, 7391"
    assert Mentions(values, strong_only=False).without("Li, 12345, 7391") == "deleted, deleted, deleted"
    full = [Value(Kind.NAME, "Ada"), Value(Kind.NAME, "Lovelace")]
    assert Mentions(full, strong_only=True).without("Lovelace, Ada; Ada") == "deleted; Ada"


def test_what_searches_take_for_the_same_is_the_same_here() -> None:
    """Over all of Unicode: whatever a search finds, a mention is found by."""
    wrong = []
    for character in map(chr, range(maxunicode + 1)):
        if "\ud800" <= character <= "\udfff":
            continue
        inside = f"a{character}b"
        folded = search_key(inside) or ""
        if folded != inside and key_of(folded) != key_of(inside):
            wrong.append(character)
        if (digit := digits_of(character)) and key_of(character) != digit:
            wrong.append(character)
    assert wrong == []


@given(st.text(), st.sampled_from(VALUES), st.text())
def test_a_span_is_the_place_of_the_value(before: str, value: Value, after: str) -> None:
    text = f"{before} {value.text} {after}"
    mentions = Mentions([value], strong_only=False)
    spans = mentions.spans(text)
    assert spans == sorted(spans) and all(0 <= start < end <= len(text) for start, end in spans)
    if value.kind is not Kind.CARD:
        start = len(before) + 1
        assert any(begin < start + len(value.text) and end > start for begin, end in spans)


@given(st.text(alphabet="aé&#%=;39C\\u0\u0301\u200b \n"))
def test_readings_never_fail_and_stay_inside(text: str) -> None:
    for reading in readings(text):
        for number in range(len(reading.key)):
            start, end = reading.span(number, number + 1)
            assert 0 <= start < end <= len(text)


def test_candidates_hold_each_value_in_its_own_words() -> None:
    text = "Ada  Lovelace (ada@example.org) has +44 20 7946-0018; old"
    sizes = [(Kind.EMAIL, 1), (Kind.PHONE, 1), (Kind.NAME, 1), (Kind.COMPANY, 2)]
    values = set(candidates(text, sizes))
    assert Value(Kind.EMAIL, "ada@example.org") in values
    assert any(value.kind is Kind.PHONE and digits_of(value.text) == "442079460018" for value in values)
    assert {Value(Kind.NAME, "ada"), Value(Kind.NAME, "lovelace")} <= values
    assert any(value.kind is Kind.COMPANY and value.text.split() == ["ada", "lovelace"] for value in values)
