"""The keys of texts, which Python and SQL define alike: compared over all of Unicode, with their properties."""

import itertools
import random
import unicodedata
from collections.abc import Callable, Iterator

import idna
import psycopg
import pytest

from db.connections.roles import libpq_url
from services.text.keys import (
    EDGES,
    ascii_digits,
    digits_of,
    domain_key,
    email_key,
    search_key,
    strip_edges,
)

CHARACTERS = [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code <= 0xDFFF]
_MANY_ALIKE = (
    "CJK UNIFIED",
    "CJK COMPAT",
    "HANGUL SYLLABLE",
    "TANGUT",
    "EGYPTIAN",
    "CUNEIFORM",
    "NUSHU",
    "KHITAN",
)
# Characters to test one by one; the others, unassigned code points included, are tested in long texts.
SINGLE = [
    c
    for c in CHARACTERS
    if unicodedata.category(c) not in ("Cn", "Co") and not unicodedata.name(c, "").startswith(_MANY_ALIKE)
]
# Python 3.11 has Unicode 14, a server perhaps 18. Of a mark that only one of them has, only that one knows the order
# among other marks.
MARKS = [c for c in CHARACTERS if unicodedata.combining(c)]
CASED = [c for c in CHARACTERS if c.lower() != c or c.upper() != c]
BOTH = {
    "fold": search_key,
    "email_key": email_key,
    "digits": digits_of,
    "strip_edges": strip_edges,
    "domain_key": domain_key,
}


@pytest.fixture(scope="module")
def connection(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(libpq_url(database), autocommit=True) as connection:
        yield connection


def by_sql(connection: psycopg.Connection, function: str, values: list[str]) -> list[str | None]:
    rows = connection.execute(
        f"SELECT {function}(value) FROM unnest(%s::text[]) WITH ORDINALITY AS texts (value, number) ORDER BY number",
        (values,),
    )
    return [row[0] for row in rows]


def differences(
    connection: psycopg.Connection, function: str, values: list[str]
) -> list[tuple[str, str | None, str | None]]:
    python: Callable[[str], str | None] = BOTH[function]
    return [
        (ascii(value), python(value), answer)
        for value, answer in zip(values, by_sql(connection, function, values), strict=True)
        if python(value) != answer
    ]


@pytest.mark.slow
@pytest.mark.parametrize("function", BOTH)
def test_python_and_sql_agree_on_every_character(connection: psycopg.Connection, function: str) -> None:
    texts = ["x".join(CHARACTERS[start : start + 500]) for start in range(0, len(CHARACTERS), 500)]
    assert differences(connection, function, texts) == []
    assert differences(connection, function, SINGLE) == []
    if function != "digits":  # whose result does not depend on neighbours
        assert differences(connection, function, [f"{c}é{c}" for c in SINGLE]) == []
    if function == "email_key":
        assert differences(connection, function, [f"{c}a@{c}b.{c}" for c in SINGLE]) == []


@pytest.mark.slow
def test_python_and_sql_agree_on_letters_with_marks(connection: psycopg.Connection) -> None:
    rng = random.Random(5)
    pairs = [a + b for a in CASED for b in rng.sample(MARKS, 6)]
    threes = [
        "".join(rng.choices(CASED, k=1) + rng.choices(MARKS, k=2) + rng.choices(CASED, k=1))
        for _ in range(20_000)
    ]
    mixtures = ["".join(rng.choices(CHARACTERS, k=6)) for _ in range(20_000)]
    for values in (pairs, threes, mixtures):
        values = [v for v in values if not _mixes_unknown_with_marks(v)]
        assert differences(connection, "fold", values) == []
        assert differences(connection, "email_key", [f"{v}@{v}.example" for v in values[::7]]) == []


def _mixes_unknown_with_marks(value: str) -> bool:
    """Whether the text has marks beside characters that this Python does not know, so that it cannot order them."""
    unknown = [unicodedata.category(c) == "Cn" for c in value]
    return any(unknown) and any(unicodedata.combining(c) for c in value)


@pytest.mark.slow
def test_a_key_is_its_own_key() -> None:
    rng = random.Random(6)
    texts = itertools.chain(
        CHARACTERS,
        (a + b for a in CASED for b in rng.sample(MARKS, 12)),
        ("".join(rng.choices(CASED + MARKS, k=6)) for _ in range(50_000)),
    )
    wrong = [ascii(t) for t in texts if (key := search_key(t)) is not None and search_key(key) != key]
    assert wrong == []


def test_keys_ignore_letter_case_and_composition_in_every_script() -> None:
    wrong = [
        ascii(c)
        for c in {*SINGLE, *CASED}
        if len({search_key(f"x{f(c)}y") for f in (str, str.upper, str.lower, str.title, str.casefold)}) > 1
        or len({search_key(unicodedata.normalize(form, f"x{c}y")) for form in ("NFC", "NFD")}) > 1
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "text", ["ΜΑΪ́ΟΥ", "Straße", "İSTANBUL", "ŒUVRE ﬁn", "ΣΊΣΥΦΟΣ", "Ǆungla", "Հայաստան և"]
)
def test_whole_words_in_every_spelling(connection: psycopg.Connection, text: str) -> None:
    spellings = {
        unicodedata.normalize(form, change(text))
        for form in ("NFC", "NFD")
        for change in (str, str.upper, str.lower, str.title, str.casefold, str.swapcase)
    }
    keys = {search_key(s) for s in spellings} | set(by_sql(connection, "fold", sorted(spellings)))
    assert len(keys) == 1
    assert {search_key(key) for key in keys} == keys


def test_edges_are_the_invisible_characters(connection: psycopg.Connection) -> None:
    invisible = {
        c for c in CHARACTERS if c.isspace() or unicodedata.category(c) in ("Cc", "Cf", "Zs", "Zl", "Zp")
    }
    assert invisible - EDGES == set()
    assert not {c for c in EDGES if c.isprintable() and unicodedata.category(c)[0] not in "MLSC"} - {" "}
    around = [c for c in EDGES if c != "\0"]
    assert {search_key(f"{c}Anneke{c}{c}") for c in around} == {"anneke"}
    assert set(by_sql(connection, "fold", [f"{c}Anneke{c}{c}" for c in around])) == {"anneke"}
    assert set(by_sql(connection, "fold", around)) == {None}


def test_every_decimal_digit_counts(connection: psycopg.Connection) -> None:
    digits = [c for c in CHARACTERS if unicodedata.category(c) == "Nd"]
    assert [c for c in digits if ascii_digits(c) != str(unicodedata.decimal(c))] == []
    assert digits_of("+٤٩ (০১৭) 𝟗-８ x") == "490179" + "8"
    assert by_sql(connection, "digits", ["০১৭১২৩৪৫৬৭৮", "no", "½²"]) == ["01712345678", None, None]


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("kontakt@straße.example", "KONTAKT@xn--strae-oqa.EXAMPLE", True),
        ("kontakt@straße.example", "kontakt@strasse.example", False),
        ("a@STRAẞE.example", "a@straße.example", True),
        ("a@βόλος.example", "a@βόλοσ.example", False),
        ("a@ΒΌΛΟΣ.example", "a@βόλοσ.example", True),
        ("a@نامه‌ای.example", "a@نامهای.example", False),
        ("a@نامه‌ای.example", "a@xn--mgba3gch31f060k.example", True),
        ("a@ｅｘａｍｐｌｅ。ｃｏｍ", "a@example.com", True),
        ("\u200bÄnne@Example.com\ufeff", "änne@example.com", True),
        ("a@bücher.example", "a@bu\u0308cher.example", True),
        ("a@xn--zzzzzzzzzzzzzzzzzzz.example", "A@XN--ZZZZZZZZZZZZZZZZZZZ.example", True),
    ],
)
def test_emails_are_compared_as_mail_servers_do(
    connection: psycopg.Connection, first: str, second: str, is_same: bool
) -> None:
    assert (email_key(first) == email_key(second)) is is_same
    keys = by_sql(connection, "email_key", [first, second])
    assert keys == [email_key(first), email_key(second)]


def test_domain_keys_differ_exactly_where_idna_labels_differ() -> None:
    """Over every letter that may be a label, alone or between others: the same key if and only if the same A-label."""
    by_key: dict[str, set[bytes]] = {}
    by_label: dict[bytes, set[str]] = {}
    for character in SINGLE:
        for label in (character, f"a{character}b"):
            try:
                encoded = idna.encode(label, uts46=True)
            except idna.IDNAError:
                continue
            by_key.setdefault(domain_key(label), set()).add(encoded)
            by_label.setdefault(encoded, set()).update((domain_key(label), domain_key(encoded.decode())))
    assert {key: labels for key, labels in by_key.items() if len(labels) > 1} == {}
    assert {label: keys for label, keys in by_label.items() if len(keys) > 1} == {}


def test_labels_that_are_not_punycode_are_left_alone(connection: psycopg.Connection) -> None:
    rng = random.Random(7)
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789-"
    labels = ["xn--" + "".join(rng.choices(alphabet, k=rng.randint(0, 14))) for _ in range(20_000)]
    labels += ["xn--" + "9" * 62, "xn--" + "z" * 300, "xn---", "xn--a-", "xn--é"]
    assert differences(connection, "domain_key", [f"{a}.{a}" for a in labels]) == []
    assert differences(connection, "email_key", [f"x@{a}.example" for a in labels]) == []
