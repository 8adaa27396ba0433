"""The customer's page: the same e-mail, the same phone number, in scope; sums, renewals, licences, mails, notes."""

from decimal import Decimal
from typing import Any

import pytest

from db.connections.engine import viewer_transaction
from services.customers.models import CustomerPage, SameBy
from services.customers.page import PAGE_ORDERS, find_customer
from services.errors import OrderNotFound
from services.order_actions.notes import add_note
from services.orders.detail import get_order
from services.refunds.requests import request_refund
from tests.services.refunds.support import fulfil
from tests.support import factories
from tests.support.factories import act, document, item, run

INES = {"email": "ines@example.com", "first_name": "Inês", "phone": "+351 21 123-4567"}


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    factories.take_in(document(order_id=1, checkout_page="shop-b", customer=INES))
    stores = ["shop-a", "shop-c"]
    return {
        "anna": factories.account("anna", stores=stores),
        "rita": factories.account("rita", role="refund_operator", stores=stores),
        "admin": factories.account("admin", role="administrator"),
    }


def order(customer: dict[str, Any], day: int = 1, **given: Any) -> int:
    made = document(customer=customer, create_date=f"2026-03-{day:02}T10:00:00Z", **given)
    factories.take_in(made)
    return int(made["order_id"])


def page(account_id: int, order_id: int, **asked: Any) -> CustomerPage:
    viewer = factories.viewer(account_id)
    with viewer_transaction(account_id) as connection:
        return find_customer(connection, viewer, order_id, **asked)


def other_orders(account_id: int, order_id: int) -> int:
    viewer = factories.viewer(account_id)
    with viewer_transaction(account_id) as connection:
        return get_order(connection, viewer, order_id).other_orders


def named(shown: CustomerPage) -> list[int]:
    return [order.row.order_id for order in shown.orders]


def test_the_same_e_mail_in_scope_and_apart_the_same_phone_number(people: dict[str, int]) -> None:
    first = order(INES, 1)
    second = order(INES | {"email": "INES@Example.com", "phone": None}, 2, checkout_page="shop-c")
    by_phone = order({"email": "office@example.com", "phone": "351 (21) 1234567"}, 3)
    shown = page(people["anna"], first)
    assert (shown.by, named(shown), shown.number) == (SameBy.EMAIL, [second, first], 2)
    assert (shown.person.email_orders, shown.person.phone_orders) == (2, 2)
    shown = page(people["anna"], first, by=SameBy.PHONE)
    assert (shown.by, named(shown)) == (SameBy.PHONE, [by_phone, first])
    # What the second does not have, nothing is compared by.
    assert page(people["anna"], second, by=SameBy.PHONE).by is SameBy.EMAIL
    # The order of shop-b has the same e-mail, and is nobody's business here.
    assert [other_orders(people["anna"], number) for number in (first, second, by_phone)] == [1, 1, 0]
    assert other_orders(people["admin"], first) == 2
    with pytest.raises(OrderNotFound):
        page(people["anna"], 1)
    with pytest.raises(OrderNotFound):
        page(people["anna"], 2**64)


def test_an_erased_customer_has_no_other_orders(people: dict[str, int]) -> None:
    order_id = order({"erased": True})
    shown = page(people["anna"], order_id)
    assert (shown.by, shown.orders, shown.person.email_orders) == (None, (), 0)
    assert other_orders(people["anna"], order_id) == 0
    nobody = order({"first_name": "Nobody"})
    assert page(people["anna"], nobody).by is None
    assert other_orders(people["anna"], nobody) == 0


def test_the_money(people: dict[str, int]) -> None:
    who = {"email": "money@example.com"}
    two = [item(item_id="1"), item(item_id="2", name="Second", price="4.00", amount="4.00")]
    refunded = order(who, 1, items=two)
    order(who, 2, currency="USD")
    order(who, 3, status="not paid", pay_date=None)
    order(who, 4, status="deleted")  # given back by the shop
    order(who, 5, status="terminated")  # a test
    order(who, 6, status="deleted", pay_date=None)  # never paid
    act(people["anna"], request_refund, refunded, reason="x")
    [[request_id]] = run("SELECT id FROM refund_request WHERE order_id = :id", id=refunded)
    run(
        "UPDATE refund_request SET status = 'updating', taken_at = now(), taken_by = :id, taken_by_name = 'rita'",
        id=people["rita"],
    )
    fulfil(people, request_id, positions=[2], expected_amount=Decimal(4))
    euro, dollar = page(people["anna"], refunded).sums
    assert (euro.currency, euro.orders, euro.paid_orders, euro.unpaid_orders) == ("EUR", 5, 2, 1)
    assert (euro.paid, euro.refunded, euro.remains, euro.unpaid) == (*map(Decimal, (24, 14, 10, 10)),)
    assert (dollar.currency, dollar.orders) == ("USD", 1)
    assert (dollar.paid, dollar.refunded) == (Decimal(10), Decimal(0))


def test_renewals_that_run_once_each_with_their_newest_order(people: dict[str, int]) -> None:
    who = {"email": "renewing@example.com"}

    def carrying(subscription_id: str, **more: Any) -> dict[str, Any]:
        return item(subscription={"id": subscription_id, "type": "AR", "status": "active"} | more)

    parent = order(who, 1, items=[carrying("S1")])
    child = order(who, 2, items=[carrying("S1", parent_order_id=parent)])
    order(who, 3, items=[carrying("S2", status="cancelled")])
    order(who, 4, items=[carrying("S3", type="rental")])
    order(who, 5, status="not paid", pay_date=None, items=[carrying("S4")])  # a parent shows nothing before
    shown = page(people["anna"], parent)
    assert [(renewal.subscription_id, renewal.order_id) for renewal in shown.renewals] == [("S1", child)]
    assert shown.renewals_number == 1


def test_licences_mails_and_notes_of_the_page(people: dict[str, int]) -> None:
    who = {"email": "letters@example.com"}
    order_id = order(
        who,
        items=[
            item(activation_codes=[{"code": "AAAA"}, {"code": "GONE", "deleted": True}]),
            item(name="Second", price="1.00"),
        ],
        history=[
            {"date": "2026-03-01T10:06:00Z", "kind": "email", "text": "Licence sent"},
            {"date": "2026-03-01T10:07:00Z", "kind": "status", "text": "Paid"},
        ],
    )  # fmt: skip
    act(people["anna"], add_note, order_id, text="Called twice")
    shown = page(people["anna"], order_id)
    [bought] = shown.orders
    assert [(sold.name, [tuple(code) for code in sold.codes]) for sold in bought.items] == [
        ("Antivirus", [("AAAA", False), ("GONE", True)]), ("Second", []),
    ]  # fmt: skip
    assert [(line.kind, line.text, line.author) for line in shown.lines] == [
        ("note", "Called twice", "anna"), ("email", "Licence sent", None),
    ]  # fmt: skip


def test_large_customers_are_paged(people: dict[str, int]) -> None:
    who = {"email": "large@example.com", "phone": "12345678"}
    documents = [
        document(customer=who, create_date=f"2026-01-01T{n // 60:02}:{n % 60:02}:00Z")
        for n in range(PAGE_ORDERS + 60)
    ]
    factories.take_in(*documents)
    ids = [made["order_id"] for made in reversed(documents)]
    first = page(people["anna"], ids[0])
    assert (named(first), first.number, first.previous) == (ids[:PAGE_ORDERS], len(ids), None)
    second = page(people["anna"], ids[0], after=first.next)
    assert named(second) == ids[PAGE_ORDERS : 2 * PAGE_ORDERS]
    assert second.sums == first.sums
    assert named(page(people["anna"], ids[0], before=second.previous)) == named(first)
    assert other_orders(people["anna"], ids[0]) == 101  # counted no further
    assert first.person.phone_orders == len(ids)
