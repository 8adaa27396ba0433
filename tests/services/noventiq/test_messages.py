"""What the vendor's messages say, as order documents."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.schema.connection_states import ConnectionKind
from services.connections.incoming import Sender, WrongMessage
from services.noventiq.messages import NoventiqEvent, read_notice
from services.noventiq.receiving import NoventiqReceiver
from tests.support.noventiq import message, order, product

SENDER = Sender(1, ConnectionKind.NOVENTIQ, 1, "shop-n", 6000, ("secret_key",))


# Any: JSON as somebody may send it.
def read(source: Any) -> Any:
    return read_notice(json.dumps(source).encode(), "shop-n")


def test_a_message_is_an_order_document_with_one_item() -> None:
    notice = read(message(order(5555555), "order.created"))
    assert (notice.event, notice.order_id, notice.subscription) == ("order.created", 5555555, None)
    assert notice.occurred_at.isoformat() == "2026-11-01T06:00:00+00:00"
    assert notice.document == {
        "order_id": 5555555,
        "order_name": "A0005555555",
        "checkout_page": "shop-n",
        "status": "not paid",
        "create_date": "2026-11-01T09:00:00+03:00",
        "currency": "EUR",
        "locale": "en_EN",
        "order_detail_url": "https://shop.example.com/order/status/5555555/1a97507",
        "customer": {
            "type": "physical",
            "country": "FR",
            "email": "marcel@example.com",
            "first_name": "Marcel",
            "last_name": "Laporte",
        },
        "payment": {"payment_method": "CreditCard", "payment_system_name": "Bank Card"},
        "items": [
            {
                "product_id": "111111",
                "sku": "SKU-1",
                "name": "Product 1",
                "price": "100.00",
                "quantity": 1,
                "vat_amount": "0.00",
                "amount": "100.00",
            }
        ],
    }  # fmt: skip


def test_numbers_may_be_strings_and_strings_numbers() -> None:
    item = read(
        message(order(1, product(id=111111, quantity="3", price=19.90, amount="59.70")), "order.created")
    ).item
    assert (item["product_id"], item["quantity"], item["price"]) == ("111111", 3, "19.9")
    assert read(message(order(1), "order.created", order_id="1")).order_id == 1


@pytest.mark.parametrize(
    ("sent", "stored"),
    [("not paid", "not paid"), ("not_paid", "not paid"), ("paid", "paid"), ("deleted", "deleted")],
)
def test_both_spellings_of_the_status(sent: str, stored: str) -> None:
    notice = read(message(order(1, pay_date="2026-11-01T09:05:00+03:00"), "product.delivered", status=sent))
    assert notice.document["status"] == stored


def test_events_say_what_their_fields_do_not() -> None:
    paid = read(message(order(1), "order.payment.succeeded", event_date="2026-11-01T10:00:00+03:00"))
    assert (paid.document["status"], paid.document["pay_date"]) == ("paid", "2026-11-01T10:00:00+03:00")
    assert read(message(order(1), "product.delivered")).item["delivered"] is True
    assert read(message(order(1), "product.returned")).item["refunded"] is True
    assert "delivered" not in read(message(order(1), "order.payment.failed")).item


def test_a_subscription_is_known_by_its_id() -> None:
    subscribed = order(1, product(subscription={"id": "1_7"}))
    said = read(message(subscribed, "subscription.cancelled")).subscription
    assert (said.id, said.type, said.status) == ("1_7", None, None)
    hostile: Any
    for hostile in (None, "1_7", [], {"id": None}, {"id": ""}, {"id": "x" * 201}, {"id": "a\0"}, {"id": {}}):
        assert read(message(subscribed, "order.created", subscription=hostile)).subscription is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"order_id": None}, "order_id"),
        ({"order_id": 0}, "order_id"),
        ({"order_id": -1}, "order_id"),
        ({"order_id": 1.5}, "order_id"),
        ({"order_id": 2**63}, "order_id"),
        ({"order_id": "9" * 5000}, "order_id"),
        ({"order_name": ""}, "order_name"),
        ({"order_name": "x" * 65}, "order_name"),
        ({"order_name": "A\0"}, "order_name"),
        ({"order_name": "\ud800"}, "order_name"),
        ({"status": "sold"}, "status"),
        ({"status": None}, "status"),
        ({"status": "paid"}, "pay_date"),
        ({"create_date": "2026-11-01T09:00:00"}, "create_date"),
        ({"create_date": ""}, "create_date"),
        ({"event_date": "yesterday"}, "event_date"),
        ({"event_date": "0001-01-01T00:00:00+14:00"}, "event_date"),
        ({"event_date": 1}, "event_date"),
        ({"currency": "euro"}, "currency"),
        ({"order_detail_url": "javascript:alert(1)"}, "order_detail_url"),
        ({"customer": {"email": ["a"]}}, "customer.email"),
        ({"customer": {"type": "alien"}}, "customer.type"),
        ({"payment": {"card_last_4": "12345"}}, "payment.card_last_4"),
        ({"product": None}, "product"),
        ({"product": []}, "product"),
        ({"product": product(name="")}, "product.name"),
        ({"product": product(id={})}, "product.id"),
        ({"product": product(price="1,00")}, "product.price"),
        ({"product": product(amount="1e5")}, "product.amount"),
        ({"product": product(amount="")}, "product.amount"),
        ({"product": product(quantity="three")}, "product.quantity"),
        ({"product": product(quantity=0)}, "product.quantity"),
        ({"product": product(discount_percent="101")}, "product.discount_percent"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_the_vendors_field(changes: Any, field: str) -> None:
    with pytest.raises(WrongMessage) as refusal:
        read(message(order(1), "order.created") | changes)
    assert refusal.value.field == field and refusal.value.reason


def test_each_event_is_read_and_named() -> None:
    for event in NoventiqEvent:
        body = json.dumps(message(order(7), event)).encode()
        reading = NoventiqReceiver().read(SENDER, {}, body)
        assert (reading.type, reading.order_id, reading.ignored, reading.refused) == (event, 7, None, None)
        assert len(reading.event_id) == 64 and reading == NoventiqReceiver().read(SENDER, {}, body)


def test_unknown_events_are_kept_and_ignored() -> None:
    body = json.dumps(message(order(7), "order.gift.wrapped")).encode()
    reading = NoventiqReceiver().read(SENDER, {}, body)
    assert reading.ignored == "Events named order.gift.wrapped mean nothing here."
    assert reading.refused is None and reading.order_id == 7


@given(st.binary(max_size=300))
def test_any_bytes_give_a_reading(body: bytes) -> None:
    reading = NoventiqReceiver().read(SENDER, {}, body)
    assert reading.refused is not None and reading.type == "unreadable"


@given(
    st.dictionaries(
        st.sampled_from(sorted(message(order(1), "x"))),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text("aZ0;.-é\0\ud800", max_size=10)
        | st.lists(st.none(), max_size=2)
        | st.dictionaries(
            st.sampled_from(sorted(product())), st.none() | st.text("1.", max_size=5), max_size=4
        ),
    )
)
def test_any_json_gives_a_reading(changes: dict[str, Any]) -> None:
    NoventiqReceiver().read(SENDER, {}, json.dumps(message(order(1), "order.created") | changes).encode())
