"""An access request: what is held of a person, complete by the list of what is personal, and nothing of others."""

import json
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from db.connections.engine import viewer_transaction
from db.schema.personal import PERSONAL, Fate, Personal, Whose
from services.customers import personal_columns
from services.customers.access_files import export_person
from services.customers.access_request import NoPersonToExport, collect_held_data, record_person_export
from services.customers.personal_columns import LEFT_OUT, OF_ORDERS, held_columns, missing_columns
from services.errors import NotAllowed, OrderNotFound
from services.order_actions.customer_email import correct_email
from services.order_actions.licences import resend_licence
from services.order_actions.notes import add_note
from services.refunds.requests import request_refund
from tests.support import factories
from tests.support.factories import act, document, item, run

UTC = ZoneInfo("UTC")
INES = {
    "email": "ines@example.com", "first_name": "Inês", "last_name": "Araújo", "phone": "+351 21 123 4567",
    "vat_number": "PT123456789", "company_name": "Araújo Lda", "type": "legal", "country": "PT",
    "company_billing_address": "Rua Augusta 1, Lisboa", "company_delivery_address": "Rua do Ouro 2, Lisboa",
}  # fmt: skip


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    factories.take_in(
        document(
            order_id=1, customer=INES, locale="pt_PT", order_detail_url="https://shop.example/1",
            payment={"payment_method": "Visa", "card_last_4": "4242", "card_expiration_date": "01/30"},
            additional_data=[{"name": "Campaign", "value": "Spring"}],
            items=[item(
                activation_codes=[{"code": "AAAA-1"}], additional_fields=[{"name": "Seat", "value": "Desk 7"}],
                license_user={"first_name": "Rui", "last_name": "Sá", "email": "rui@example.com"},
                subscription={"id": "S1", "type": "AR", "status": "active"},
            )],
            documents=[{"name": "invoice.pdf", "kind": "payment", "content_base64": "JVBERg=="}],
            history=[{"date": "2026-03-01T10:06:00Z", "kind": "email", "text": "Sent to ines@example.com"}],
        ),
        document(order_id=2, checkout_page="shop-b", customer={"email": "INES@example.com"}),
        document(
            order_id=3, checkout_page="shop-b", customer={"email": "boss@example.org", "last_name": "Chef"},
            items=[item(
                activation_codes=[{"code": "USED-1"}], license_user={"email": "ines@example.com", "first_name": "Inês"},
            )],
        ),
        document(order_id=4, customer={"email": "other@example.org", "last_name": "Andere"}),
        document(order_id=5, customer={"erased": True}),
    )  # fmt: skip
    people: dict[str, int] = {
        "anna": factories.account("anna", stores=["shop-a"]),
        "admin": factories.account("admin", role="administrator"),
    }
    act(people["anna"], add_note, 1, text="Prefers to be called")
    act(people["anna"], request_refund, 1, reason="Bought twice, says Inês")
    [[code_id]] = run("SELECT id FROM activation_code WHERE order_id = 1")
    act(people["anna"], resend_licence, 1, code_id=code_id)
    act(people["anna"], add_note, 4, text=f"{'x' * 200} ines@example.com asked for him {'y' * 200}")
    run(
        "INSERT INTO inbox (event_id, type, order_id, body, state, settled_at) VALUES "
        "('m1', 'order.upserted', 1, convert_to('{\"data\": \"of Inês\"}', 'UTF8'), 'applied', now())"
    )
    return people


def answer(account_id: int, order_id: int = 1, ending: str = "json") -> bytes:
    viewer = factories.viewer(account_id)
    with viewer_transaction(account_id) as connection:
        return b"".join(export_person(connection, viewer, order_id, ending=ending, zone=UTC))


def test_every_personal_column_is_in_it_or_left_out_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing_columns() == set()
    assert all(column in PERSONAL[table] for table, column in LEFT_OUT)
    # A new column of a table that is in it comes along; a new table is missed.
    new = {"nickname": Personal(Whose.CUSTOMER, Fate.EMPTY)}
    monkeypatch.setattr(
        personal_columns, "PERSONAL", {**PERSONAL, "orders": {**PERSONAL["orders"], **new}, "diary": new}
    )
    assert "nickname" in held_columns("orders")
    assert missing_columns() == {("diary", "nickname")}


def test_the_person_s_own_orders_come_whole_and_of_all_stores(people: dict[str, int]) -> None:
    held = json.loads(answer(people["admin"]))
    assert held["about"]["e-mail"] == "ines@example.com" and held["about"]["made by"] == "admin@test.example"
    assert [order["order_id"] for order in held["orders"]] == [1, 2]
    first = held["orders"][0]
    assert {name: first[name] for name in ("first_name", "phone", "card_last_4", "company_billing_address")} == {
        "first_name": "Inês", "phone": "+351 21 123 4567", "card_last_4": "4242",
        "company_billing_address": "Rua Augusta 1, Lisboa",
    }  # fmt: skip
    # Each column of the list, by its name, in the section of its table.
    for table in OF_ORDERS:
        rows = [first] if table == "orders" else first.get(table.replace("_", " "), [])
        assert rows or table in ("subscription_event",), table
        for row in rows:
            assert set(held_columns(table)) <= set(row), table
    [bought] = first["order item"]
    assert (bought["license_email"], bought["additional_data"]) == (
        "rui@example.com", [{"name": "Seat", "value": "Desk 7"}],
    )  # fmt: skip
    assert [code["code"] for code in first["activation code"]] == ["AAAA-1"]
    assert [paper["name"] for paper in first["order document"]] == ["invoice.pdf"]
    assert "Prefers to be called" in [line["text"] for line in first["order history"]]
    assert [request["reason"] for request in first["refund request"]] == ["Bought twice, says Inês"]
    [mail] = first["mail"]
    assert mail["to_address"] == "ines@example.com" and "AAAA-1" in mail["text_body"]
    assert [message["message"] for message in first["messages of shops"]] == ['{"data": "of Inês"}']


def test_of_others_only_what_is_theirs(people: dict[str, int]) -> None:
    raw = answer(people["admin"]).decode()
    held = json.loads(raw)
    [used] = held["licences in orders of others"]
    assert (used["order_id"], used["license_first_name"]) == (3, "Inês")
    assert [code["code"] for code in held["codes of these licences"]] == ["USED-1"]
    [mention] = [row for row in held["mentions in texts about others"] if row["order_id"] == 4]
    assert mention["place"] == "order history.text"
    assert "ines@example.com asked for him" in mention["excerpt"] and len(mention["excerpt"]) < 200
    for foreign in ("boss@example.org", "Chef", "other@example.org", "Andere", "password_hash"):
        assert foreign not in raw


def test_the_workbook_has_the_same_values(people: dict[str, int]) -> None:
    book = openpyxl.load_workbook(BytesIO(answer(people["admin"], ending="xlsx")))
    assert book.sheetnames[:4] == ["About", "Orders", "Order item", "Activation code"]
    text = "\n".join(
        str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell
    )
    for value in ("+351 21 123 4567", "AAAA-1", "invoice.pdf", "Prefers to be called", "USED-1", "Desk 7"):
        assert value in text


def test_who_and_of_whom(people: dict[str, int]) -> None:
    with pytest.raises(NotAllowed):
        answer(people["anna"])
    for order_id, error in ((5, NoPersonToExport), (99, OrderNotFound), (2**70, OrderNotFound)):
        with pytest.raises(error):
            answer(people["admin"], order_id)


def test_it_is_recorded_without_the_e_mail(people: dict[str, int]) -> None:
    admin: Any = factories.viewer(people["admin"])
    with viewer_transaction(people["admin"]) as connection:
        name = record_person_export(connection, admin, 1, ending="xlsx", address="192.0.2.1")
        assert collect_held_data(connection, admin, 1).order_name == name
    [row] = run("SELECT * FROM audit_log WHERE action = 'export personal data'")
    assert (row.account_id, row.order_id, row.details, row.address) == (
        people["admin"], 1, {"format": "xlsx"}, "192.0.2.1",
    )  # fmt: skip


def test_an_address_that_was_corrected_away_brings_nothing_of_its_owner(people: dict[str, int]) -> None:
    phone = "+49 30 7654321"
    factories.take_in(
        document(order_id=20, customer={"email": "owner@example.com", "last_name": "Owner", "phone": phone},
                 items=[item(activation_codes=[{"code": "OWNERS-CODE"}])]),
        document(order_id=21, customer={"email": "owner@example.com", "last_name": "Mallory", "phone": phone}),
    )  # fmt: skip
    [[code_id]] = run("SELECT id FROM activation_code WHERE order_id = 20")
    act(people["anna"], resend_licence, 20, code_id=code_id)
    act(people["anna"], add_note, 20, text="owner@example.com moves to Oslo")
    act(people["anna"], correct_email, 21, email="mallory@example.com", expected="owner@example.com")
    handed_out = answer(people["admin"], 21).decode()
    assert "Mallory" in handed_out
    for of_the_owner in ("OWNERS-CODE", "Oslo"):
        assert of_the_owner not in handed_out
        assert of_the_owner in answer(people["admin"], 20).decode()


def test_a_mail_about_a_refund_is_the_customers(people: dict[str, int]) -> None:
    run(
        "INSERT INTO mail (message_id, kind, to_address, subject, text_body, state, order_id, checkout_page_id, "
        "account_id) SELECT '<refund@example>', 'customer_refund', 'ines@example.com', 'Refund', "
        "'Paid back: everything', 'queued', order_id, checkout_page_id, :id FROM orders WHERE order_id = 1",
        id=people["anna"],
    )
    assert "Paid back: everything" in answer(people["admin"]).decode()
