"""Webhooks with API credentials: the message is a hint, and the order is fetched and believed."""

import itertools

import pytest

from services.noventiq.applying import UNREACHABLE
from services.noventiq.troubles import Troubles
from tests.services.noventiq.shop import Hook, everything_of, items_of, order_row, subscription_status
from tests.support.factories import document, run, take_in
from tests.support.noventiq import FakeNoventiq, Json, connection_of, message, order, product
from tests.support.ports import free_port

_numbers = itertools.count(800_001)
PAID = "2026-11-01T10:00:00+03:00"


@pytest.fixture(scope="module")
def fetching(database: str, process: FakeNoventiq) -> Hook:
    return Hook(*connection_of("shop-f", api_url=process.url))


def placed(vendor: FakeNoventiq, *products: Json, **fields: str) -> Json:
    """An order that the vendor has."""
    bought = order(next(_numbers), *products, **fields)
    vendor.control("order", **bought)
    return bought


def test_one_message_brings_the_whole_order(vendor: FakeNoventiq, fetching: Hook) -> None:
    number = next(_numbers)
    renewal = {"id": f"{number}_1", "type": "AR", "status": "active"}
    bought = order(number, product(1), product(2, subscription=renewal), status="paid", pay_date=PAID)
    vendor.control("order", **bought)
    # A forged or old message: its amounts and its status are not those of the order.
    hint = message(bought, "product.delivered", status="deleted")
    hint["product"] = dict(hint["product"]) | {"amount": "0.01", "price": "0.01"}
    assert fetching.tell(hint)[-1] == ("applied", None)
    row, (first, second) = order_row(number), items_of(number)
    assert (row.status, row.total) == ("paid", 200)
    assert {first.amount, second.amount} == {100}
    assert {item.product_id: item.delivered for item in (first, second)} == {"111111": True, "211111": False}
    [subscription] = run("SELECT type, status FROM subscription WHERE order_id = :id", id=number)
    assert tuple(subscription) == ("AR", "active")


def test_the_vendors_status_counts_as_it_is(vendor: FakeNoventiq, fetching: Hook) -> None:
    bought = placed(vendor, product(1), status="deleted", pay_date=PAID)
    fetching.tell(message(bought, "order.payment.failed"))
    assert order_row(bought["order_id"]).status == "deleted"
    vendor.control("order", **bought | {"status": "not_paid"})
    fetching.tell(message(bought, "order.created"))
    assert order_row(bought["order_id"]).status == "not paid"


def test_an_answer_without_products_is_believed_as_far_as_it_goes(
    vendor: FakeNoventiq, fetching: Hook
) -> None:
    bought = placed(vendor, product(1), product(2), status="paid", pay_date=PAID)
    vendor.control("order", **bought | {"products": []})
    fetching.tell(message(bought, "order.created", index=0), message(bought, "order.created", index=1))
    assert order_row(bought["order_id"]).status == "paid"
    assert [item.name for item in items_of(bought["order_id"])] == ["Product 1", "Product 2"]


def test_what_an_answer_does_not_say_is_the_messages(vendor: FakeNoventiq, fetching: Hook) -> None:
    """How the vendor's API names the parts of an order is known from its webhooks alone."""
    bought = placed(vendor, product(1))
    named_otherwise = [{"product_name": "Product 1", "quantity": {"value": 1}}]
    odd = {key: value for key, value in bought.items() if key not in ("customer", "payment", "locale")}
    vendor.control("order", **odd | {"products": named_otherwise, "status": "paid", "pay_date": PAID})
    assert fetching.tell(message(bought, "order.created"))[-1] == ("applied", None)
    row = order_row(bought["order_id"])
    assert (row.status, row.email, row.payment_method, row.locale) == (
        "paid",
        "marcel@example.com",
        "CreditCard",
        "en_EN",
    )
    assert [item.name for item in items_of(bought["order_id"])] == ["Product 1"]


def test_a_product_may_stand_alone_under_its_own_name(vendor: FakeNoventiq, fetching: Hook) -> None:
    bought = placed(vendor, product(1, amount="90.00"))
    vendor.control("order", **bought | {"products": [], "product": bought["products"][0]})
    hint = message(bought, "order.created")
    hint["product"] = dict(hint["product"]) | {"amount": "1.00"}
    fetching.tell(hint)
    assert [item.amount for item in items_of(bought["order_id"])] == [90]


def test_what_is_unknown_to_the_vendor_is_refused(vendor: FakeNoventiq, fetching: Hook) -> None:
    number = next(_numbers)
    state, reason = fetching.tell(message(order(number), "order.created"))[-1]
    assert (state, reason) == ("refused", "Noventiq answered 404: Order not found.")
    assert not run("SELECT FROM orders WHERE order_id = :id", id=number)


def test_an_answer_about_another_order_is_refused(vendor: FakeNoventiq, fetching: Hook) -> None:
    bought = placed(vendor)
    vendor.control("fault", path="/v1/order", status=200, body=order(next(_numbers)))
    state, reason = fetching.tell(message(bought, "order.created"))[-1]
    assert (state, reason) == ("refused", "Noventiq's API answered with another order.")


def test_a_fetch_that_fails_is_made_again_later(vendor: FakeNoventiq, fetching: Hook) -> None:
    bought = placed(vendor)
    vendor.control("fault", path="/v1/order", status=503, headers={"Retry-After": "90"})
    state, reason = fetching.tell(message(bought, "order.created"))[-1]
    assert (state, reason) == ("waiting", "Noventiq answered 503.")
    [[seconds]] = run(
        "SELECT extract(epoch FROM next_attempt_at - now()) FROM inbox ORDER BY id DESC LIMIT 1"
    )
    assert 60 < seconds <= 90
    assert fetching.tell()[-1] == ("applied", None)
    assert order_row(bought["order_id"]).status == "not paid"


def test_wrong_credentials_leave_messages_waiting(vendor: FakeNoventiq, database: str) -> None:
    wrong = Hook(*connection_of("shop-w", api_url=vendor.url, password="wrong"))
    state, reason = wrong.tell(message(placed(vendor), "order.created"))[-1]
    assert (state, reason) == (
        "waiting",
        "Noventiq refused the user name or the password of this connection.",
    )
    # It is not tried with the wrong password again and again; a new one counts at once.
    assert wrong.tell()[-1] == ("waiting", UNREACHABLE) and len(vendor.calls("login_check")) == 1
    run("UPDATE connection_secret SET secret = '1234' WHERE purpose = 'api' AND secret = 'wrong'")
    assert wrong.tell()[-1][0] == "applied"


def test_the_subscription_is_as_the_vendor_has_it_now(vendor: FakeNoventiq, fetching: Hook) -> None:
    """A late or forged message does not cancel what runs."""
    number = next(_numbers)
    renewal = {"id": f"{number}_1", "type": "PMR", "status": "not_paid"}
    bought = order(number, product(1, subscription=renewal), status="paid", pay_date=PAID)
    vendor.control("order", **bought)
    fetching.tell(message(bought, "subscription.cancelled"))
    assert subscription_status(number) == "not paid"
    vendor.control("set", subscriptions={f"{number}_1": {"type": "PMR", "status": "cancelled"}})
    fetching.tell(message(bought, "subscription.cancelled", event_date="2026-11-01T11:00:00+03:00"))
    assert subscription_status(number) == "cancelled"


def test_an_order_of_another_store_stays_its_own(vendor: FakeNoventiq, fetching: Hook) -> None:
    bought = placed(vendor)
    take_in(document(order_id=bought["order_id"], checkout_page="shop-g"))
    before = everything_of(bought["order_id"])
    state, reason = fetching.tell(message(bought, "order.created"))[-1]
    assert state == "refused" and reason is not None and "no order with this ID" in reason
    assert everything_of(bought["order_id"]) == before


def test_a_vendor_that_is_away_is_asked_once(vendor: FakeNoventiq, database: str) -> None:
    """All stores share the worker: each message would wait for its own time-out."""
    away = Hook(*connection_of("shop-away", api_url=f"http://127.0.0.1:{free_port()}"))
    states = away.tell(*[message(order(next(_numbers)), "order.created") for _ in range(3)])
    assert [state for state, _ in states] == ["waiting"] * 3
    assert str(states[0][1]).startswith("Noventiq cannot be reached.")
    assert [reason for _, reason in states[1:]] == [UNREACHABLE] * 2
    # Once an administrator has corrected the address, it is asked at once.
    bought = order(next(_numbers))
    vendor.control("order", **bought)
    run(
        "UPDATE connection SET options = options || jsonb_build_object('api_url', cast(:url AS text)) "
        "WHERE id = :id", url=vendor.url, id=away.connection_id,
    )  # fmt: skip
    assert away.tell(message(bought, "order.created"))[-1][0] == "applied"


def test_pauses_grow_and_end() -> None:
    now = [0.0]
    troubles = Troubles(lambda: now[0])
    assert [troubles.note("a") for _ in range(7)] == [10, 20, 40, 80, 160, 300, 300]
    now[0] = 100.0
    assert (troubles.seconds_left("a"), troubles.seconds_left("b")) == (200.0, 0.0)
    troubles.clear("a")
    assert (troubles.seconds_left("a"), troubles.note("a")) == (0.0, 10)
