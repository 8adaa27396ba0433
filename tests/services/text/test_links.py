"""Links and file names made of what a shop or somebody else wrote into the database."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.text.file_names import saved_name, shown_name
from services.text.links import safe_link


@pytest.mark.parametrize(
    "address",
    [
        "https://shop.example/orders/1",
        "http://shop.example:8080/o?x=1#y",
        "https://магазин.example/заказ",
        "https://[2001:db8::1]/x",
        "https://shop.example/a@b",
    ],
)
def test_an_address_that_leads_where_it_seems_to_is_a_link(address: str) -> None:
    assert safe_link(address) == address


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "https://shop@evil.example/",
        "https://shop.example:x@evil.example/",
        "https://shop.example\\@evil.example/",
        "https:\\\\evil.example",
        "https:///evil.example",
        "//evil.example",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "ftp://shop.example/",
        "https://shop.example/\u202egnp.exe",
        "https://shop.example/\nx",
        "https://shop.example/ x",
        "https://shop.example%40evil.example/",
        "https://shop.example＠evil.example/",
        "https://",
        "https://shop.example/" + "x" * 2000,
    ],
)
def test_any_other_is_none(address: str | None) -> None:
    assert safe_link(address) is None


def test_a_name_cannot_be_turned_around() -> None:
    name = "invoice_\u202efdp.exe"
    assert shown_name(name) == "invoice_\ufffdfdp.exe"
    assert saved_name(name) == "invoice__fdp.exe"


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("Rechnung 2346177.pdf", "Rechnung 2346177.pdf"),
        ("счёт-фактура.pdf", "счёт-фактура.pdf"),
        ("請求書.pdf", "請求書.pdf"),
        ("../../etc/passwd", "_.._.._etc_passwd"),
        ("C:\\a\\b.pdf", "C__a_b.pdf"),
        (".bashrc", "_.bashrc"),
        ("x.pdf.", "x.pdf"),
        ("", "_"),
        ("\u2066\u2069", "__"),
        ('a"; filename="b.exe', "a_; filename=_b.exe"),
    ],
)
def test_a_name_is_one_that_every_system_takes(name: str, saved: str) -> None:
    assert saved_name(name) == saved


@given(st.text())
def test_no_name_keeps_a_mark_that_misleads(name: str) -> None:
    for result in (shown_name(name), saved_name(name)):
        assert not any(unicodedata.bidirectional(c) in ("LRE", "RLE", "LRO", "RLO", "PDF") for c in result)
        assert not any(unicodedata.bidirectional(c) in ("LRI", "RLI", "FSI", "PDI") for c in result)
        assert not any(unicodedata.category(c) == "Cc" for c in result)
    assert not set(saved_name(name)) & set('/\\:*?"<>|')
