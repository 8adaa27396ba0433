"""A person in more than forty places and in every spelling; afterwards nowhere, and not after ten later documents."""

import base64
import html
import json
import quopri
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection

from db.connections.engine import viewer_transaction
from db.schema.audit_actions import AuditAction
from services.access import Viewer
from services.actions import Action, ActionResult, action
from services.delivery.mail_rounds import send_due
from services.order_actions.customer_email import correct_email
from services.order_actions.licences import resend_licence
from services.order_actions.notes import add_note
from services.order_actions.subscriptions import cancel_subscription
from services.orders.filters import SearchInput, parse_filter
from services.orders.saved_searches import save_search
from services.privacy.erasure import NothingToErase, erase_personal_data, preview_erasure
from services.refunds.processing import fulfil_request, take_request
from services.refunds.requests import request_refund
from tests.support import factories
from tests.support.factories import Document, act, document, item, run
from tests.support.mail_server import mail_server

EMAIL, PHONE = "Ольга.Дёмина@пример.example", "8 (905) 777-45-67"
OLD_EMAIL, OLD_PHONE, OLD_NAME = "odemina-before@example.org", "+7 495 123-00-99", "Prishvina"
TYPED_EMAIL = "odemnia@example.org"
FIRST, LAST, COMPANY = "Ольгуся", "Дёмина-Жук", "Дёмина & Сыновья ООО"
STREET, VAT = "Зелёный пр-т 73, Москва", "RU 7701-234567"
CUSTOMER: Document = {
    "type": "legal", "country": "RU", "email": EMAIL, "first_name": FIRST, "last_name": LAST, "phone": PHONE,
    "vat_number": VAT, "company_name": COMPANY, "company_billing_address": STREET,
    "company_delivery_address": f"{STREET}, подъезд 4",
}  # fmt: skip
SECRETS = [EMAIL, OLD_EMAIL, TYPED_EMAIL, FIRST, LAST, OLD_NAME, COMPANY, STREET, VAT]
NUMBERS = [PHONE, OLD_PHONE, "7701234567"]
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "capitals": str.upper,
    "small": str.lower,
    "decomposed": lambda value: unicodedata.normalize("NFD", value),
    "full-width": lambda value: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in value),
    "digits of another script": lambda value: value.translate({48 + n: 0x9E6 + n for n in range(10)}),
    "HTML": lambda value: html.escape(value).encode("ascii", "xmlcharrefreplace").decode(),
    "address": lambda value: quote(value, safe=""),
    "quoted-printable": lambda value: quopri.encodestring(value.encode(), quotetabs=True).decode().strip(),
    "JSON": lambda value: json.dumps(value)[1:-1],
    "marks at its edges": lambda value: f"\u200b{value}\ufeff",
}


def lines(*values: str) -> list[str]:
    return [f"{name}: {spell(value)}, so it is" for name, spell in SPELLINGS.items() for value in values]


def shop_history(*texts: str) -> list[Document]:
    return [{"date": "2026-03-01T10:00:00Z", "kind": "status", "text": text} for text in texts]


def full(**fields: Any) -> Document:
    """The person's own order with everything a document may hold of them."""
    return document(**{
        "order_id": 500, "customer": CUSTOMER, "updated_at": "2026-03-02T00:00:00Z",
        "payment": {"payment_method": "Wire", "card_last_4": "7391", "card_expiration_date": "11/2031"},
        "order_detail_url": f"https://shop.example/o?mail={quote(EMAIL)}",
        "items": [
            item(item_id="a", name=f"Poster for {FIRST} {LAST}", activation_codes=[{"code": "C1"}, {"code": "C2"}],
                 license_user={"first_name": "Ursulina", "last_name": LAST, "email": "ursulina@example.org"},
                 additional_fields=[{"name": "Computer", "value": f"PC of {FIRST}"}],
                 subscription={"id": "S1", "type": "AR", "status": "active"}),
            item(item_id="b"),
        ],
        "additional_data": [{"name": "note", "value": f"call {PHONE}"}],
        "related_orders": [{"order_id": 510, "relation": "typo"}],
        "history": shop_history(f"Sent to <{EMAIL}>", f"Called {PHONE}", f"{LAST}, {FIRST} has paid", "Paid"),
        "documents": [{"name": f"invoice {LAST}.pdf", "kind": "payment", "content_base64": as_file(f"{FIRST} {LAST}")}],
    } | fields)  # fmt: skip


def as_file(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def others() -> list[Document]:
    """Orders of other people that tell of this one: an offer of the same page, a licence, a colleague's order."""
    return [
        document(order_id=510, customer={"email": "friend@example.com"}, related_orders=[
            {"order_id": 500, "relation": "typo"}], history=shop_history(f"Offered to {FIRST} {LAST}, {EMAIL}"),
            additional_data=[{"name": "from", "value": f"{LAST} {FIRST} {PHONE}"}]),
        document(order_id=520, customer={"email": "aunt@example.com"}, items=[
            item(item_id="x", license_user={"first_name": FIRST, "last_name": LAST, "email": EMAIL.upper()},
                 additional_fields=[{"name": "Login", "value": EMAIL}]), item(item_id="y")],
            history=shop_history(f"{FIRST} <{EMAIL}> has activated the licence")),
        document(order_id=530, customer={"email": "colleague@example.com", "first_name": "Kira"}, history=shop_history(
            f"Kira wrote: ask {FIRST} {LAST}, {EMAIL}"), additional_data=[{"name": "second contact", "value": EMAIL}],
            items=[item(additional_fields=[{"name": "phone", "value": "89057774567"}])]),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    run("INSERT INTO payment_method (name, refund_document_required) VALUES ('Wire', true)")
    factories.take_in(document(order_id=1))
    return {
        "anna": factories.account("anna", stores=["shop-a"]),
        "boris": factories.account("boris", stores=["shop-a"]),
        "rita": factories.account("rita", role="refund_operator", stores=["shop-a"]),
        "admin": factories.account("admin", role="administrator"),
    }


def live_through(people: dict[str, int]) -> None:
    """What the shop told before and after, and what everybody wrote down in between."""
    anna, rita = people["anna"], people["rita"]
    before = CUSTOMER | {"email": OLD_EMAIL, "phone": OLD_PHONE, "last_name": OLD_NAME}
    factories.take_in(full(customer=before, updated_at="2026-02-01T00:00:00Z"), *others())
    [[code], [second]] = run("SELECT id FROM activation_code WHERE order_id = 500 ORDER BY number")
    act(anna, add_note, 500, text=f"{OLD_NAME} uses {OLD_EMAIL.upper()} and +7 (495) 1230099")
    act(anna, resend_licence, 500, code_id=code)
    factories.take_in(full())
    act(anna, correct_email, 500, email=TYPED_EMAIL, expected=EMAIL)
    act(anna, correct_email, 500, email=EMAIL, expected=TYPED_EMAIL)
    for text in lines(EMAIL, PHONE, f"{FIRST} {LAST}", LAST, COMPANY, STREET, VAT):
        act(anna, add_note, 500, text=text)
    act(anna, resend_licence, 500, code_id=second)
    act(anna, cancel_subscription, 500, position=1, reason=f"{FIRST} asked from {EMAIL}")
    act(anna, request_refund, 500, reason=f"{COMPANY}: bought twice, {PHONE}")
    [[request_id]] = run("SELECT id FROM refund_request WHERE order_id = 500")
    act(rita, take_request, request_id)
    act(rita, fulfil_request, request_id, positions=[2], expected_amount=Decimal(10), delete_codes=False,
        stop_renewal=False, note=f"Told {LAST} at {EMAIL}")  # fmt: skip
    with mail_server() as server:
        send_due(server.url, "portal@shop.example")
    for text in lines(EMAIL, PHONE):
        act(anna, add_note, 530, text=f"Not from Kira: {text}, {FIRST} {LAST}")
    act(anna, request_refund, 530, reason=f"{EMAIL} told so")
    for typed in (
        SearchInput(phone="89057774567"),
        SearchInput(email=EMAIL.lower()),
        SearchInput(last_name=unicodedata.normalize("NFD", LAST.upper())),
        SearchInput(company=COMPANY.lower(), first_name="x"),
        SearchInput(vat_number=VAT),
    ):
        with viewer_transaction(people["boris"]) as connection:
            save_search(
                connection, factories.viewer(people["boris"]), parse_filter(typed, zone=ZoneInfo("UTC"))
            )
    run(
        "INSERT INTO audit_log (action, details) VALUES ('add note', CAST(:details AS jsonb))",
        details=json.dumps({"a": {"b": [f"for {EMAIL}", 7]}, "c": quote(EMAIL)}),
    )


def cells() -> list[tuple[str, str]]:
    """Every value of every table as text, whatever its type."""
    texts = []
    for (name,) in run(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    ):
        for row in run(f"SELECT * FROM {name}"):
            for column, value in row._mapping.items():
                if isinstance(value, bytes | memoryview):
                    value = bytes(value).decode("utf-8", "replace")
                if isinstance(value, dict | list):
                    value = json.dumps(value, ensure_ascii=False)
                if isinstance(value, str):
                    texts.append((f"{name}.{column}", value))
    return texts


def plain(text: str) -> str:
    text = re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), html.unescape(unquote(text)))
    if re.search(r"=[0-9A-F]{2}", text):
        text = quopri.decodestring(text.encode()).decode("utf-8", "replace")
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def left() -> list[tuple[str, str]]:
    """Where one of the values still is. Not by the code that deletes: this looks at every letter and digit."""
    leaks = []
    for cell, text in cells():
        read = plain(text)
        digits = "".join(str(unicodedata.decimal(c)) for c in read if c.isdecimal())
        leaks += [(cell, secret) for secret in SECRETS if plain(secret) in read]
        leaks += [(cell, number) for number in NUMBERS if re.sub(r"\D", "", number) in digits]
    return leaks


def later_documents() -> list[Document]:
    """What a shop that never heard of it sends afterwards."""

    def at(day: int) -> str:
        return f"2026-04-{day:02}T00:00:00Z"

    again = full(updated_at=at(1))
    again["history"] += shop_history(f"Reminder sent to {EMAIL}", f"New: {PHONE}")
    newcomer = item(item_id="c", name=f"Mug of {FIRST} {LAST}", license_user={"first_name": FIRST, "email": EMAIL},
                    additional_fields=[{"name": "engraving", "value": f"{FIRST} {LAST}"}])  # fmt: skip
    unnamed = [{key: value for key, value in line.items() if key != "item_id"} for line in full()["items"]]
    first, second, third = others()
    return [
        again,
        full(updated_at=at(2), customer=CUSTOMER | {"email": OLD_EMAIL, "phone": OLD_PHONE}),
        full(updated_at=at(3), items=[*full()["items"], newcomer]),
        full(updated_at=at(4), items=unnamed),
        full(updated_at=at(5), customer={"type": "legal", "erased": True}),
        full(updated_at=at(6), checkout_page="shop-b", history=shop_history(*lines(EMAIL, PHONE))),
        full(updated_at=at(7), documents=[
            {"name": f"{EMAIL}.pdf", "kind": "refund", "content_base64": as_file(EMAIL)}]),
        first | {"updated_at": at(8), "history": [*first["history"], *shop_history(*lines(EMAIL, PHONE))]},
        second | {"updated_at": at(9), "additional_data": [{"name": "user", "value": f"{FIRST} {LAST}, {EMAIL}"}]},
        third | {"updated_at": at(10)},
    ]  # fmt: skip


def test_forty_places_ten_spellings_and_ten_later_documents(people: dict[str, int]) -> None:
    live_through(people)
    before = left()
    assert len({cell for cell, _ in before}) >= 35 and len(before) > 250
    assert {secret for _, secret in before} == {*SECRETS, *NUMBERS}
    admin = factories.viewer(people["admin"])
    with viewer_transaction(people["admin"]) as connection:
        parts = preview_erasure(connection, admin, email=EMAIL).parts
    assert {key: part.label for key, part in parts.items()} == {500: "Customer", 520: "Licence user"}
    said = act(people["admin"], erase_by(parts), None)
    assert said.startswith("The personal data was deleted from 2 orders. Also deleted: ")
    assert left() == []
    # The others keep what is theirs.
    assert run("SELECT first_name, email FROM orders WHERE order_id = 530") == [
        ("Kira", "colleague@example.com")
    ]
    [[line]] = run("SELECT text FROM order_history WHERE order_id = 530 AND source = 'shop'")
    assert line == "Kira wrote: ask deleted, deleted"
    for number, newer in enumerate(later_documents()):
        assert factories.take_in(newer).updated == 1
        assert left() == [], number
    lines = run("SELECT text FROM order_history WHERE order_id = 500 AND source = 'shop' ORDER BY id")
    assert ("deleted has paid",) in lines or ("Paid",) in lines
    with pytest.raises(NothingToErase):
        act(people["admin"], erase_by({}), None)


def erase_by(parts: Any) -> Action[...]:
    @action(AuditAction.ERASE_PERSONAL_DATA)
    def erase(connection: Connection, viewer: Viewer, _: None) -> ActionResult:
        return erase_personal_data(connection, viewer, email=EMAIL, expected=parts)

    return erase
