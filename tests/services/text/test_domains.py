"""Domains by IDNA 2008, mapped as browsers do."""

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.text.domains import a_label_domain


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        # What IDNA 2003 turns into another domain
        ("straße.example", "xn--strae-oqa.example"),
        ("faß.de", "xn--fa-hia.de"),
        ("ẞ.example", "xn--zca.example"),
        ("βόλος.com", "xn--nxasmm1c.com"),
        ("ΒΌΛΟΣ.com", "xn--nxasmq6b.com"),
        ("نامه\u200cای.com", "xn--mgba3gch31f060k.com"),  # ZWNJ between Arabic letters
        ("क्\u200dष.com", "xn--11b2ezcw70k.com"),  # ZWJ after a virama
        # Newer letters
        ("ⴃ.example", "xn--ukj.example"),
        ("ꭓ.example", "xn--qy9a.example"),
        # Letter case, width, dots
        ("STRASSE.example", "strasse.example"),
        ("Example.COM", "example.com"),
        ("BÜCHER。Example", "xn--bcher-kva.example"),
        ("bücher．example", "xn--bcher-kva.example"),
        ("日本語｡jp", "xn--wgv71a119e.jp"),
        ("ｅｘａｍｐｌｅ．com", "example.com"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("XN--STRAE-OQA.example", "xn--strae-oqa.example"),
        ("ex\u00adample.com", "example.com"),  # a soft hyphen is not seen
        # What is ASCII stays, also where no host is named like that
        ("exa_mple.com", "exa_mple.com"),
        ("r3---sn.example", "r3---sn.example"),
        ("localhost", "localhost"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
    ],
)
def test_what_goes_to_the_server(domain: str, expected: str) -> None:
    assert a_label_domain(domain) == expected


@pytest.mark.parametrize(
    "domain",
    [
        "💩.la", "xn--ls8h.la", "xn--a.example", "xn--.com",
        "xn--fa-hia-.de", "a\u200cb.com", "a\u200db.com", "\u202ea.com", "a\u2066b.com", "١٢.com", "\u0301a.com",
        "a" * 64 + ".com", "ä" * 60 + ".com", ".".join(["a" * 60] * 5), "a" * 5000, "a..b", ".a", "a.", "", ".",
        "-a.com",
        "a-.com", "a b.com", "a\u3000b.com", "a@b.com", "a/b", "[127.0.0.1]", "a\r\nb.com", "a\x00.com", "\ud800.com",
        "℀.com", "ﷺ.com", "a,b.com", "a:b",
    ],
)  # fmt: skip
def test_what_is_no_domain(domain: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        a_label_domain(domain)


@given(st.text(max_size=80))
def test_any_text_is_a_stable_domain_or_refused(text: str) -> None:
    try:
        domain = a_label_domain(text)
    except ValueError:
        return
    assert a_label_domain(domain) == domain
    assert domain.isascii() and domain == domain.lower() and len(domain) <= 253


@given(st.text(st.characters(codec="utf-8", categories=["L", "M", "N"]), min_size=1, max_size=15))
def test_the_library_agrees(label: str) -> None:
    """Where it takes a label; ours takes some that are ASCII only besides, such as those with an underscore."""
    try:
        expected = idna.encode(f"{label}.example", uts46=True).decode()
    except ValueError:
        return
    assert a_label_domain(f"{label}.example") == expected
