"""Texts that administrators may change: hostile ones reach nothing, and values are shown as they are."""

import re
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.errors import InvalidInput
from services.mail.customer_texts import PLACEHOLDERS, MailText, RefundText, built_in, checked_mail_text, fill
from services.mail.languages import LANGUAGES, language_of, money_in

VALUES = {
    "order": "A0012345678", "sum": "EUR 49.00", "items": "Antivirus × 1 – EUR 49.00", "customer": "Inês Araújo",
    "order_page": "https://shop.example/o/1", "store": "Shop A",
}  # fmt: skip
FULL = "{{ order }} {{ sum }}"
HOSTILE = [
    "{{ order.__class__ }}", "{{ order['__class__'] }}", "{{ ''.__class__.__mro__ }}", "{{ order|attr('x') }}",
    "{{ cycler.__init__.__globals__ }}", "{{ self }}", "{{ config }}", "{{ 7*7 }}", "{{ 'x' }}", "{{ order() }}",
    "{% for x in order %}{% endfor %}", "{% set order = 1 %}", "{% include 'account.txt.jinja' %}",
    "{% if order %}x{% endif %}", "{{ range(10**9)|list }}", "{{ order ~ order }}", "{{ order if 1 }}", "{% raw %}",
    "{{ order", "{{ }}", "{% %}", "{#", "{{ order }", "{{ [order] }}", "{{ order[0] }}", "{{ lipsum() }}",
    "{{ none }}", "{{ loop }}", "{{ __import__ }}", "{{ password }}", "{% extends 'x' %}", "{{ order }}{% block x %}",
]  # fmt: skip


@pytest.mark.parametrize("kind", list(RefundText))
@pytest.mark.parametrize("language", list(LANGUAGES))
def test_every_built_in_text_passes_its_own_check(kind: RefundText, language: str) -> None:
    text = built_in(kind, language)
    assert checked_mail_text(kind, subject=text.subject, body=text.body) == text
    written = fill(text, VALUES, language=language)
    assert "A0012345678" in written.subject and "{" not in written.text_body + written.html_body
    assert f'<html lang="{language}">' in written.html_body
    assert '<a href="https://shop.example/o/1">' in written.html_body
    # Its own language, and not English under another name.
    assert language == "en" or text.subject != built_in(kind, "en").subject


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("field", ["subject", "body"])
def test_anything_but_words_and_placeholders_is_refused(hostile: str, field: str) -> None:
    texts = {"subject": "Refund {{ order }}", "body": FULL}
    texts[field] += hostile
    with pytest.raises(InvalidInput) as refusal:
        checked_mail_text(RefundText.FULL, **texts)
    assert refusal.value.field == field
    assert str(refusal.value).startswith("Line 1")


@pytest.mark.parametrize(
    ("kind", "subject", "body", "field", "sentence"),
    [
        (RefundText.FULL, "", FULL, "subject", "A subject is needed."),
        (RefundText.FULL, "x", "  ", "body", "A text is needed."),
        (RefundText.FULL, "x" * 201, FULL, "subject", "at most; this has 201"),
        (RefundText.FULL, "x", "{{ order }}", "body", "{{ sum }} is missing: the customer has to read what was given"),
        (RefundText.FULL, "x", "{{ sum }}", "body", "{{ order }} is missing"),
        (RefundText.PARTIAL, "x", FULL, "body", "{{ items }} is missing"),
        (RefundText.FULL, "x {{ items }}", FULL, "subject", "{{ items }} is too long for a subject."),
        (RefundText.FULL, "x", FULL + "\n\n{{ ordr }}", "body", "Line 3: there is no placeholder {{ ordr }}."),
        (RefundText.FULL, "x", FULL + "\nDear { customer },", "body", "Line 2: write {{ customer }}, with two braces"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_its_field(
    kind: RefundText, subject: str, body: str, field: str, sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=re.escape(sentence)) as refusal:
        checked_mail_text(kind, subject=subject, body=body)
    assert refusal.value.field == field


def test_a_name_that_nobody_told_is_left_out_with_its_comma() -> None:
    for body, expected in (
        ("Hello {{ customer }},", "Hello,"),
        ("Hola, {{ customer }}:", "Hola:"),
        ("{{ customer }}!", "!"),
    ):
        written = fill(MailText("x", body), VALUES | {"customer": ""}, language="en")
        assert written.text_body == expected


@settings(max_examples=30)
@given(name=st.text(max_size=40), order=st.text(max_size=20))
@example(name="<script>alert(1)</script>", order="{{ sum }}")
@example(name="a\r\nBcc: x@y.example\n\nb", order="</p><p>")
def test_values_are_escaped_and_stay_on_their_line(name: str, order: str) -> None:
    text = MailText("For {{ order }}", "Hello {{ customer }},\n\n{{ order }}: {{ sum }}")
    written = fill(text, VALUES | {"customer": name, "order": order}, language="en")
    assert written.text_body.count("\n") == 2 and "\n" not in written.subject
    assert written.html_body.count("<p>") <= 2
    tags = re.findall(r"<[^>]*>", written.html_body)
    assert {tag.split()[0].strip("<>/") for tag in tags} <= {"!doctype", "html", "body", "p", "br"}
    assert "{{" in written.text_body if "{{" in order and order.isprintable() else True


@settings(max_examples=50)
@given(st.text(alphabet="{}%#| order\n.'()_", max_size=30))
def test_no_text_raises_anything_else(body: str) -> None:
    try:
        text = checked_mail_text(RefundText.FULL, subject="x", body=FULL + body)
    except InvalidInput:
        return
    fill(text, VALUES, language="en")


def test_every_placeholder_is_filled_in() -> None:
    body = " ".join(f"{{{{ {name} }}}}" for name in PLACEHOLDERS)
    written = fill(checked_mail_text(RefundText.PARTIAL, subject="x", body=body), VALUES, language="en")
    assert written.text_body == " ".join(VALUES[name] for name in PLACEHOLDERS)


def test_the_language_and_the_sum_follow_the_order() -> None:
    locales = {
        "de": "de",
        "de-AT": "de",
        "pt_BR.UTF-8": "pt",
        "EN-us": "en",
        "xx": "en",
        "": "en",
        "zh-Hans": "en",
    }
    assert {locale: language_of(locale) for locale in locales} == locales and language_of(None) == "en"
    amount = Decimal("1234.50")
    assert money_in("en", amount, "EUR") == "EUR 1,234.50"
    assert money_in("de", amount, "EUR") == "1.234,50\N{NO-BREAK SPACE}EUR"
    assert money_in("fr", amount, "EUR") == "1\N{NARROW NO-BREAK SPACE}234,50\N{NO-BREAK SPACE}EUR"
    assert money_in("ru", Decimal(980), "JPY") == "980\N{NO-BREAK SPACE}JPY"
