"""Deleting a person's data: afterwards no table holds any of it, and the orders are still there."""

import json
from collections.abc import Mapping
from decimal import Decimal
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from db.connections.engine import viewer_transaction
from services.actions import ActionRequest, perform
from services.delivery.mail_rounds import send_due
from services.errors import InvalidInput, NotAllowed
from services.order_actions.customer_email import correct_email
from services.order_actions.licences import resend_licence
from services.order_actions.notes import add_note
from services.order_actions.subscriptions import cancel_subscription
from services.orders.filters import SearchInput, parse_filter
from services.orders.saved_searches import save_search
from services.orders.search import count_orders
from services.privacy.erasure import (
    ChangedSincePreview,
    NothingToErase,
    Part,
    erase_personal_data,
    preview_erasure,
)
from services.refunds.processing import fulfil_request, take_request
from services.refunds.requests import request_refund
from services.views.changes import save_view
from services.views.models import ExportChoice
from tests.support import factories
from tests.support.factories import act, document, item, run
from tests.support.mail_server import mail_server

EMAIL = "ines.araujo@example.com"
CUSTOMER = {
    "type": "legal", "country": "PT", "email": EMAIL, "first_name": "Inêsita", "last_name": "Araújo (Sá)",
    "phone": "+351 21 999 88 77", "vat_number": "PT 999.888", "company_name": "Araújo+Filhos Lda.",
    "company_billing_address": "Rua do Ouro 17, Lisboa", "company_delivery_address": "Cais 4 [B], Porto",
}  # fmt: skip
PAYMENT = {"payment_method": "WireTransfer", "card_last_4": "7391", "card_expiration_date": "11/2031"}
VALUES = [
    *(value for key, value in CUSTOMER.items() if key not in ("type", "country")),
    "7391", "11/2031", "Ursulina", "Userova", "ursulina@example.org", "mistyped.ines@example.com", "ines.araujo",
]  # fmt: skip


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    run("INSERT INTO payment_method (name, refund_document_required) VALUES ('WireTransfer', true)")
    factories.take_in(document(order_id=900))
    return {
        "anna": factories.account("anna", stores=["shop-a"]),
        "rita": factories.account("rita", role="refund_operator", stores=["shop-a"]),
        "admin": factories.account("admin", role="administrator"),
    }


def erase(account_id: int, email: str) -> str:
    """What the page does: a preview, and the deletion of what it showed."""
    asks = factories.viewer(account_id)
    with viewer_transaction(account_id) as connection:
        expected = preview_erasure(connection, asks, email=email).parts
    return erase_expected(account_id, email, expected)


def erase_expected(account_id: int, email: str, expected: Mapping[int, Part]) -> str:
    asks = factories.viewer(account_id)
    request = ActionRequest(key=uuid4(), address=None)
    return perform(asks, request, erase_personal_data, email=email, expected=expected)


def everything_kept() -> dict[str, str]:
    """All rows of all tables as text, binary columns as what they hold."""
    tables = run(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1"
    )
    return {name: repr(run(f"SELECT * FROM {name}")) for (name,) in tables if name != "alembic_version"}


def lived_through(people: dict[str, int]) -> list[int]:
    """Orders of the person in which everything has happened that writes something down."""
    full = document(
        customer=CUSTOMER, payment=PAYMENT, order_detail_url="https://shop.example/ines.araujo",
        items=[
            item(activation_codes=[{"code": "CODE-1"}],
                 license_user={"first_name": "Ursulina", "last_name": "Userova", "email": "ursulina@example.org"},
                 additional_fields=[{"name": "Computer", "value": "Inêsita's PC"}],
                 subscription={"id": "S1", "type": "AR", "status": "active"}),
            item(item_id="b", activation_codes=[{"code": "CODE-2"}]),
        ],
        additional_data=[{"name": "note", "value": "call +351 21 999 88 77"}],
        history=[{"date": "2026-03-01T10:00:00Z", "kind": "email", "text": f"Licence sent to {EMAIL.upper()}"}],
        documents=[{"name": "invoice.pdf", "kind": "payment", "content_base64": "SW7DqnNpdGE="}],
    )  # fmt: skip
    plain = document(
        customer=CUSTOMER | {"email": "mistyped.ines@example.com"}, status="not paid", pay_date=None
    )
    factories.take_in(full, plain)
    first, second = full["order_id"], plain["order_id"]
    anna, rita = people["anna"], people["rita"]
    codes = dict(run("SELECT code, id FROM activation_code WHERE order_id = :id", id=first))
    act(anna, correct_email, second, email=EMAIL, expected="mistyped.ines@example.com")
    act(anna, add_note, first, text="Inêsita Araújo (Sá) of Araújo+Filhos Lda. calls often")
    act(anna, cancel_subscription, first, position=1, reason=f"{EMAIL} wrote")
    act(anna, resend_licence, first, code_id=codes["CODE-1"])
    with mail_server() as server:
        send_due(server.url, "portal@shop.example")
        assert server.to(EMAIL)
    act(anna, resend_licence, first, code_id=codes["CODE-2"])
    act(anna, request_refund, first, reason=f"Araújo (Sá), {EMAIL}: bought twice")
    [[request_id]] = run("SELECT id FROM refund_request WHERE order_id = :id", id=first)
    act(rita, take_request, request_id)
    act(rita, fulfil_request, request_id, positions=[1], expected_amount=Decimal(10), delete_codes=False,
        stop_renewal=False, note=f"Told {EMAIL}")  # fmt: skip
    viewer = factories.viewer(anna)
    with viewer_transaction(anna) as connection:
        search = parse_filter(SearchInput(email=EMAIL), zone=ZoneInfo("UTC"))
        save_search(connection, viewer, search)
        save_view(connection, viewer, name="Hers", team_id=None, search=search, export=ExportChoice())
        nothing = parse_filter(SearchInput(), zone=ZoneInfo("UTC"))
        for name in ("For ines.araujo@example.com", "Of nobody"):
            save_view(connection, viewer, name=name, team_id=None, search=nothing, export=ExportChoice())
    return [first, second]


def test_no_table_holds_any_of_it_and_the_orders_remain(people: dict[str, int]) -> None:
    mine = lived_through(people)
    other = document(customer=CUSTOMER | {"email": "other@example.com", "last_name": "Keeper"})
    factories.take_in(other)
    tables = everything_kept()
    assert all(any(value in rows for rows in tables.values()) for value in VALUES)
    run("DELETE FROM orders WHERE order_id = :id", id=other["order_id"])
    admin = factories.viewer(people["admin"])
    with viewer_transaction(people["admin"]) as connection:
        preview = preview_erasure(connection, admin, email=f"  {EMAIL.upper()} ")
    assert (preview.number, {order.order_id for order in preview.orders}) == (2, set(mine))
    assert (preview.documents, preview.mails) == (2, 2)
    assert erase(people["admin"], EMAIL) == (
        "The personal data was deleted from 2 orders. Also deleted: 2 documents, 2 mails, 3 saved searches, "
        "22 mentions. 1 mail that waited was taken back."
    )
    left = {
        (table, value)
        for table, rows in everything_kept().items()
        for value in VALUES
        if value.lower() in rows.lower()
    }
    assert left == set()
    assert run("SELECT name FROM order_view") == [("Of nobody",)]
    assert "In\\xc3\\xaasita" not in everything_kept()["order_document"]
    rows = run(
        "SELECT customer_erased, total, status FROM orders WHERE order_id = ANY (:ids) ORDER BY order_id",
        ids=mine,
    )
    assert [row.customer_erased for row in rows] == [True, True] and rows[0].total == 20
    for order_id in mine:
        assert factories.history(order_id)[-1] == "Personal data anonymize"
    # What waited to be sent is not sent any more, and codes stay findable.
    licences = run("SELECT state FROM mail WHERE order_id = ANY (:ids) AND kind = 'licence'", ids=mine)
    assert {row.state for row in licences} == {"sent", "failed"}
    assert len(run("SELECT 1 FROM activation_code WHERE order_id = ANY (:ids)", ids=mine)) == 2


def test_nothing_finds_them_any_more(people: dict[str, int]) -> None:
    factories.take_in(
        document(customer={"email": "gone@example.com", "first_name": "Gonzalo", "phone": "5550001"})
    )
    erase(people["admin"], "gone@example.com")
    viewer = factories.viewer(people["anna"])
    for typed in (
        SearchInput(email="gone@example.com"),
        SearchInput(first_name="Gonzalo"),
        SearchInput(phone="5550001"),
    ):
        with viewer_transaction(people["anna"]) as connection:
            assert count_orders(connection, viewer, parse_filter(typed, zone=ZoneInfo("UTC"))).number == 0


def test_a_licence_user_is_taken_out_of_other_peoples_orders(people: dict[str, int]) -> None:
    made = document(
        items=[item(license_user={"email": "user@example.org", "first_name": "Usha"}), item(item_id="b",
               license_user={"email": "stays@example.org"})],
        history=[{"date": "2026-03-01T10:00:00Z", "kind": "email", "text": "Usha <user@example.org> activated"}],
    )  # fmt: skip
    factories.take_in(made)
    with viewer_transaction(people["admin"]) as connection:
        [touched] = preview_erasure(
            connection, factories.viewer(people["admin"]), email="user@example.org"
        ).orders
    assert touched.part is Part.LICENCE_USER
    erase(people["admin"], "user@example.org")
    rows = run(
        "SELECT license_erased, license_email FROM order_item WHERE order_id = :id ORDER BY position",
        id=made["order_id"],
    )
    assert rows == [(True, None), (False, "stays@example.org")]
    [[email]] = run("SELECT email FROM orders WHERE order_id = :id", id=made["order_id"])
    assert email == "ines@example.com"
    [[text]] = run(
        "SELECT text FROM order_history WHERE order_id = :id AND source = 'shop'", id=made["order_id"]
    )
    assert text == "deleted <deleted> activated"


def test_the_preview_counts_and_a_change_meanwhile_is_noticed(people: dict[str, int]) -> None:
    customer = {"email": "many@example.com"}
    factories.take_in(document(customer=customer), document(customer=customer))
    with viewer_transaction(people["admin"]) as connection:
        preview = preview_erasure(connection, factories.viewer(people["admin"]), email="many@example.com")
    late = document(customer=customer)
    factories.take_in(late)
    with pytest.raises(ChangedSincePreview, match=rf"Nothing was deleted.*came .*: {late['order_name']}\)"):
        erase_expected(people["admin"], "many@example.com", preview.parts)
    assert run("SELECT count(*) FROM orders WHERE email = 'many@example.com'") == [(3,)]


def test_words_that_contain_a_name_stay(people: dict[str, int]) -> None:
    made = document(
        customer={"email": "an@example.com", "first_name": "An"},
        history=[{"date": "2026-03-01T10:00:00Z", "kind": "status", "text": "An order, and another; An's"}],
    )
    factories.take_in(made)
    erase(people["admin"], "an@example.com")
    [[text]] = run(
        "SELECT text FROM order_history WHERE order_id = :id AND source = 'shop'", id=made["order_id"]
    )
    assert text == "deleted order, and another; deleted's"


@pytest.mark.parametrize(
    "email", ["", "  ", "a", "no address", "x" * 300 + "@example.com", "a\u202e@example.com"]
)
def test_only_a_whole_address_is_taken(email: str, people: dict[str, int]) -> None:
    with pytest.raises(InvalidInput):
        erase(people["admin"], email)


def test_names_that_mean_something_to_json(people: dict[str, int]) -> None:
    """Null is a surname, and a quotation mark may stand in a company's name."""
    company = 'The "Old" \\ Ltd'
    made = document(
        customer={"email": "null@example.com", "first_name": "True", "last_name": "Null", "phone": "12",
                  "company_name": company},
    )  # fmt: skip
    factories.take_in(made)
    run(
        "INSERT INTO audit_log (order_id, action, details) VALUES (:id, 'add note', CAST(:details AS jsonb))",
        id=made["order_id"],
        details=json.dumps({"a": None, "b": True, "c": 12, "d": f"True Null of {company}, 12"}),
    )
    erase(people["admin"], "null@example.com")
    [[details]] = run("SELECT details FROM audit_log WHERE order_id = :id", id=made["order_id"])
    assert details == {"a": None, "b": True, "c": 12, "d": "deleted of deleted, deleted"}


def test_nobody_to_erase(people: dict[str, int]) -> None:
    with pytest.raises(NothingToErase):
        erase(people["admin"], "nobody@example.com")


@pytest.mark.parametrize("name", ["anna", "rita"])
def test_nobody_else_erases(name: str, people: dict[str, int]) -> None:
    with pytest.raises(NotAllowed):
        erase_expected(people[name], "ines@example.com", {})
    with viewer_transaction(people[name]) as connection, pytest.raises(NotAllowed):
        preview_erasure(connection, factories.viewer(people[name]), email="ines@example.com")
    # Nor through the database's own function.
    with factories.refused_by_the_database(), viewer_transaction(people[name]) as connection:
        connection.exec_driver_sql("SELECT * FROM orders_of_person('ines@example.com')")
    assert run("SELECT count(*) > 0 FROM orders WHERE email = 'ines@example.com'") == [(True,)]
