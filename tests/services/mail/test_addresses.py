"""What can be mailed, and who mails are from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.mail.addresses import (
    NO_ADDRESS,
    NO_UTF8,
    UTF8_UNKNOWN,
    Sender,
    Utf8,
    is_well_formed,
    mailable,
    sender_of,
    why_not_mailable,
)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("kontakt@straße.example", "kontakt@xn--strae-oqa.example"),
        ("Ines.A+x@EXAMPLE.com", "Ines.A+x@example.com"),  # who tells A from a is the server's business
        ("пример@test.example", "пример@test.example"),
        ("пример@почта.example", "пример@xn--80a1acny.example"),
        ("नमस्ते@example.com", "नमस्ते@example.com"),
        ("نامه\u200cای@example.com", "نامه\u200cای@example.com"),
        ("a@localhost", "a@localhost"),
        ("\ufeffa@example.com\u200b", "a@example.com"),
        (" a@straße.example\u2060", "a@xn--strae-oqa.example"),
        ("o'brien_{x}=y@example.com", "o'brien_{x}=y@example.com"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
    ],
)
def test_well_formed(address: str, expected: str) -> None:
    assert mailable(address) == expected


@pytest.mark.parametrize(
    "address",
    [
        "", "none", "@example.com", "a@", "a@b@example.com", "a b@example.com", "a@exam ple.com", "a,b@example.com",
        "a@example.com, b@example.com", "A <a@example.com>", '"a b"@example.com',
        "a(x)@example.com", "a@[127.0.0.1]", "a@192.0.2.1", ".a@example.com", "a.@example.com", "a..b@example.com",
        "a@example.com\r\nRCPT TO:<spy@example.com>", "a\n@example.com", "a\x00@example.com", "a\u202eb@example.com",
        "a\u200bb@example.com", "a\u200cb@example.com", "\u0301a@example.com", "\ud800@example.com", "a@💩.example",
        "a@xn--a.example", "a@example..com", "a@example.com.", "a" * 65 + "@example.com", "й" * 33 + "@example.com",
        "a@" + ".".join(["b" * 63] * 3 + ["b" * 61]), "a\u2028@example.com", "a;b@example.com",
    ],
)  # fmt: skip
def test_not_one_address(address: str) -> None:
    assert not is_well_formed(address)
    assert why_not_mailable(address, Utf8.TAKEN) == NO_ADDRESS


def test_letters_outside_ascii_are_a_matter_of_the_server() -> None:
    assert why_not_mailable("пример@test.example", Utf8.TAKEN) is None
    assert why_not_mailable("пример@test.example", Utf8.REFUSED) == NO_UTF8
    assert why_not_mailable("пример@test.example", Utf8.UNKNOWN) == UTF8_UNKNOWN
    assert why_not_mailable("kontakt@straße.example", Utf8.REFUSED) is None
    assert why_not_mailable(None, Utf8.TAKEN) == NO_ADDRESS


@given(st.text(max_size=60), st.sampled_from(["@", ""]), st.text(max_size=60))
def test_any_text_is_answered(local: str, at: str, domain: str) -> None:
    address = f"{local}{at}{domain}"
    assert (why_not_mailable(address, Utf8.TAKEN) is None) == is_well_formed(address)
    if is_well_formed(address):
        assert mailable(mailable(address)) == mailable(address)


@pytest.mark.parametrize(
    ("mail_from", "expected"),
    [
        ("support@acme.example", Sender("", "support@acme.example")),
        ("<support@acme.example>", Sender("", "support@acme.example")),
        ("ESupport portal <portal@shop.example>", Sender("ESupport portal", "portal@shop.example")),
        ("Acme Support, Ltd. <support@acme.example>", Sender("Acme Support, Ltd.", "support@acme.example")),
        ('"Acme Support, Ltd." <support@acme.example>', Sender("Acme Support, Ltd.", "support@acme.example")),
        ('"Acme \\"Help\\" Desk" <a@acme.example>', Sender('Acme "Help" Desk', "a@acme.example")),
        ("Acme: Help; Desk (EU) <a@acme.example>", Sender("Acme: Help; Desk (EU)", "a@acme.example")),
        ("O'Brien & Söhne <a@bücher.example>", Sender("O'Brien & Söhne", "a@xn--bcher-kva.example")),
        ("=?utf-8?q?S=C3=B6hne?= <a@acme.example>", Sender("Söhne", "a@acme.example")),
        ("a@x.example <a@acme.example>", Sender("a@x.example", "a@acme.example")),
        ("support@acme.example (Acme)", Sender("Acme", "support@acme.example")),
        ("почта@acme.example", Sender("", "почта@acme.example")),
    ],
)
def test_who_mails_are_from(mail_from: str, expected: Sender) -> None:
    assert sender_of(mail_from) == expected


@pytest.mark.parametrize(
    "mail_from",
    [
        "Acme", "Acme <support>", "Acme <support@acme.example", "a@acme.example, b@acme.example", "<a@x.example> Acme",
        "a@x.example <>", "Acme <a@x.example> <b@x.example>", "a b@acme.example", "Acme <a@💩.example>", "a@b@c",
        "Acme <support@acme..example>", "x <a@acme.example>, y <b@acme.example>",
    ],
)  # fmt: skip
def test_nobody_mails_are_from(mail_from: str) -> None:
    with pytest.raises(ValueError, match="MAIL_FROM must be one e-mail address"):
        sender_of(mail_from)
