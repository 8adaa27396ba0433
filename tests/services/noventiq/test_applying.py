"""Webhooks without API credentials: one message per product, merged; nothing goes backwards."""

import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import chain

import pytest

from db.connections.engine import jobs_transaction
from db.schema.connection_states import Purpose
from services.connections.secrets import add_secret
from services.delivery.incoming import apply_incoming
from services.order_actions.subscriptions import cancel_subscription
from tests.services.noventiq.shop import (
    Hook,
    erase,
    everything_of,
    items_of,
    order_row,
    subscription_status,
)
from tests.support import factories
from tests.support.factories import document, item, run, take_in
from tests.support.noventiq import Json, connection_of, message, order, product

_numbers = itertools.count(700_001)


@pytest.fixture(scope="module")
def hook(database: str) -> Hook:
    return Hook(*connection_of("shop-n"))


def at(hour: int, minute: int = 0) -> str:
    return f"2026-11-01T{hour:02}:{minute:02}:00+03:00"


def life_of(order_id: int) -> list[Json]:
    """All messages about an order of two products, one with a subscription, from its creation to a return."""
    renewed = {"id": f"{order_id}_1"}
    bought = order(order_id, product(1), product(2, amount="50.00", subscription=renewed))
    paid = bought | {"status": "paid", "pay_date": at(10)}
    new = order(order_id, product(1), product(2, amount="50.00"))
    return [
        *[message(new, "order.created", index=index, event_date=at(9)) for index in (0, 1)],
        *[message(paid, "order.payment.succeeded", index=index, event_date=at(10)) for index in (0, 1)],
        message(paid, "product.delivered", index=0, event_date=at(10, 1)),
        message(paid, "product.delivered", index=1, event_date=at(10, 2)),
        message(paid, "subscription.cancelled", index=1, event_date=at(11)),
        message(paid, "subscription.restored", index=1, event_date=at(12)),
        message(paid, "subscription.cancelled", index=1, event_date=at(13)),
        message(paid, "product.returned", index=0, event_date=at(14)),
    ]


def test_an_order_arrives_product_by_product(hook: Hook) -> None:
    order_id = next(_numbers)
    bought = order(order_id, product(1), product(2, amount="50.00"), product(3, amount="7.50"))
    messages = [message(bought, "order.created", index=index) for index in range(3)]
    assert hook.take(messages[0]).status == 202
    assert hook.take(messages[0]).status == 200
    assert hook.take(messages[1], secret="another").status == 401
    states = hook.tell(*messages)
    assert [state for state, _ in states[-3:]] == ["applied"] * 3
    row = order_row(order_id)
    assert (row.order_name, row.status, row.email) == (f"A{order_id:010}", "not paid", "marcel@example.com")
    assert (row.total, row.currency) == (Decimal("157.50"), "EUR")
    assert [(item.position, item.product_id, item.amount) for item in items_of(order_id)] == [
        (1, "111111", Decimal("100.00")),
        (2, "211111", Decimal("50.00")),
        (3, "311111", Decimal("7.50")),
    ]


def test_messages_in_any_order_and_twice_end_alike(hook: Hook) -> None:
    first = next(_numbers)
    hook.tell(*life_of(first))
    expected = everything_of(first)
    assert [tuple(row)[-2:] for row in expected[1:3]] == [(True, True), (True, False)]
    assert subscription_status(first) == "cancelled"
    for seed in range(2):
        order_id = next(_numbers)
        messages = life_of(order_id) * 2
        random.Random(seed).shuffle(messages)
        hook.tell(*messages)
        ended = everything_of(order_id)
        same_names = [tuple(str(value).replace(str(order_id), str(first)) for value in row) for row in ended]
        assert same_names == [tuple(str(value) for value in row) for row in expected], seed


def test_a_status_never_goes_back(hook: Hook) -> None:
    order_id = next(_numbers)
    bought = order(order_id)
    hook.tell(message(bought, "order.payment.succeeded", event_date=at(10)))
    assert (order_row(order_id).status, order_row(order_id).paid_at.hour) == ("paid", 7)
    hook.tell(message(bought, "order.created", status="not_paid", event_date=at(20)))
    assert order_row(order_id).status == "paid" and order_row(order_id).paid_at.hour == 7
    hook.tell(message(bought, "order.payment.failed", status="deleted", event_date=at(9)))
    assert order_row(order_id).status == "deleted"
    hook.tell(
        message(bought, "product.delivered", status="paid", pay_date=at(10), event_date=at(21)),
        message(bought, "order.payment.failed", event_date=at(22)),
    )
    assert order_row(order_id).status == "deleted" and items_of(order_id)[0].delivered


def test_a_terminated_order_stays_so(hook: Hook) -> None:
    order_id = next(_numbers)
    take_in(document(order_id=order_id, checkout_page="shop-n", status="terminated"))
    hook.tell(message(order(order_id), "order.created", status="deleted"))
    assert order_row(order_id).status == "terminated"


def test_what_only_a_file_says_stays(hook: Hook) -> None:
    """Codes, the licence's user, additional fields, history and total: no message of the vendor's has them."""
    order_id = next(_numbers)
    take_in(
        document(
            order_id=order_id,
            checkout_page="shop-n",
            order_id_1c="1C-7",
            total="140.00",
            items=[
                item(
                    product_id="111111",
                    sku="SKU-1",
                    name="Product 1",
                    price="100.00",
                    amount="100.00",
                    delivery="electronic",
                    license_user={"first_name": "Jo", "email": "jo@example.com"},
                    activation_codes=[{"code": "AAAA-1"}, {"code": "AAAA-2", "deleted": True}],
                    additional_fields=[{"name": "Seats", "value": "5"}],
                    subscription={"id": "5_9", "type": "AR", "status": "active", "period": "P1Y"},
                ),
                item(product_id="211111", name="Product 2", price="50.00", amount="50.00"),
            ],
            history=[{"date": "2026-03-01T10:00:00Z", "kind": "email", "text": "Licence sent"}],
            additional_data=[{"name": "Source", "value": "Partner"}],
            payment={"provider": "stripe", "reference": "pi_1", "payment_method": "card"},
        )
    )
    hook.tell(
        message(
            order(order_id, product(1, subscription={"id": "5_9"}), pay_date=at(10)),
            "product.delivered",
            status="paid",
        )
    )
    row, (first, second) = order_row(order_id), items_of(order_id)
    assert (row.order_id_1c, row.total, row.email) == ("1C-7", Decimal("140.00"), "marcel@example.com")
    assert (row.payment_provider, row.payment_reference) == ("stripe", "pi_1")
    assert row.additional_parameters == [{"name": "Source", "value": "Partner"}]
    assert (first.license_email, first.delivery, first.delivered) == ("jo@example.com", "electronic", True)
    assert first.additional_data == [{"name": "Seats", "value": "5"}] and second.name == "Product 2"
    codes = run("SELECT code, deleted FROM activation_code WHERE order_id = :id ORDER BY number", id=order_id)
    assert [tuple(code) for code in codes] == [("AAAA-1", False), ("AAAA-2", True)]
    [renewal] = run("SELECT * FROM subscription WHERE order_id = :id", id=order_id)
    assert (renewal.type, renewal.status, renewal.period) == ("AR", "active", "P1Y")
    assert run("SELECT text FROM order_history WHERE order_id = :id AND source = 'shop'", id=order_id)


def test_what_was_decided_here_of_a_renewal_counts_until_the_vendor_speaks_of_it(hook: Hook) -> None:
    order_id = next(_numbers)
    anna = factories.account(f"anna-{order_id}", stores=["shop-n"])
    subscription = {"id": f"{order_id}_2", "type": "AR", "status": "active"}
    take_in(
        document(
            order_id=order_id,
            checkout_page="shop-n",
            updated_at="2026-11-01T07:00:00Z",
            items=[item(product_id="111111", sku="SKU-1", name="Product 1", subscription=subscription)],
        )
    )
    factories.act(anna, cancel_subscription, order_id, position=1)
    bought = order(order_id, product(1, subscription={"id": f"{order_id}_2"}), status="paid", pay_date=at(10))
    tomorrow = "2099-01-01T00:00:00+00:00"
    hook.tell(message(bought, "product.delivered", event_date=tomorrow))
    assert subscription_status(order_id) == "cancelled"
    hook.tell(message(bought, "subscription.restored", event_date=tomorrow))
    assert subscription_status(order_id) == "active"


def test_a_time_in_the_future_does_not_set_later_messages_aside(hook: Hook) -> None:
    order_id = next(_numbers)
    bought = order(order_id)
    hook.tell(message(bought, "order.created", event_date="2199-01-01T00:00:00+00:00"))
    assert order_row(order_id).source_updated_at.year < 2199
    renamed = order(order_id, product(1, quantity=2, amount="200.00"))
    hook.tell(message(renamed, "order.payment.failed", event_date="2199-01-01T00:00:01+00:00"))
    assert items_of(order_id)[0].quantity == 2 and order_row(order_id).total == 200


def test_a_child_order_names_its_parent(hook: Hook) -> None:
    parent, child = next(_numbers), next(_numbers)
    renewed = order(child, product(1, subscription={"id": f"{parent}_3"}))
    hook.tell(message(renewed, "order.created"))
    [renewal] = run("SELECT * FROM subscription WHERE order_id = :id", id=child)
    assert (renewal.parent_order_id, renewal.status, renewal.type) == (parent, "not paid", "unknown")


def test_an_order_of_another_store_is_refused_and_untouched(hook: Hook) -> None:
    order_id = next(_numbers)
    take_in(document(order_id=order_id, checkout_page="shop-b"))
    before = everything_of(order_id)
    answer = hook.take(message(order(order_id), "order.created", event_date=at(23)))
    assert answer.status == 202  # which says nothing of whether the order exists
    assert hook.tell()[-1] == (
        "refused",
        "This connection's store has no order with this ID that it could change.",
    )
    assert everything_of(order_id) == before


def test_refused_and_unknown_messages_are_shown(hook: Hook) -> None:
    order_id = next(_numbers)
    wrong = hook.take(message(order(order_id, product(1, price="1,00")), "order.created"))
    assert (wrong.status, wrong.field) == (422, "product.price")
    assert hook.take(message(order(order_id), "order.gift.wrapped")).status == 202
    assert [state for state, _ in hook.tell()[-2:]] == ["refused", "ignored"]
    assert not run("SELECT FROM orders WHERE order_id = :id", id=order_id)


def test_an_erased_person_does_not_come_back(hook: Hook) -> None:
    """Neither by a later message, nor in what is kept of the earlier ones."""
    order_id = next(_numbers)
    bought = order(order_id)
    bought["customer"] = dict(bought["customer"]) | {"email": "gone@example.com", "first_name": "Zénobie"}
    hook.tell(message(bought, "order.created", event_date=at(9)))
    erase("gone@example.com")
    hook.tell(
        message(bought, "order.payment.succeeded", event_date=at(10)),
        message(bought, "product.delivered", event_date=at(9, 30)),
    )
    row = order_row(order_id)
    assert (row.status, row.customer_erased, row.email, row.first_name) == ("paid", True, None, None)
    assert items_of(order_id)[0].delivered


def test_workers_that_share_the_messages_end_alike(hook: Hook) -> None:
    first = next(_numbers)
    hook.tell(*life_of(first))
    expected = [str(row).replace(str(first), "ID") for row in everything_of(first)]
    order_ids = [next(_numbers) for _ in range(3)]
    messages = list(chain.from_iterable(map(life_of, order_ids)))
    random.Random(1).shuffle(messages)
    for message_ in messages:
        hook.take(message_)
    with ThreadPoolExecutor(3) as workers:
        for done in [workers.submit(apply_incoming) for _ in range(3)]:
            done.result()
    assert {state for state, _ in hook.tell()[-len(messages) :]} <= {"applied", "unchanged"}
    for order_id in order_ids:
        assert [str(row).replace(str(order_id), "ID") for row in everything_of(order_id)] == expected


def test_two_secret_keys_are_valid_while_one_replaces_the_other(hook: Hook) -> None:
    bought = order(next(_numbers))
    with jobs_transaction() as connection:
        add_secret(connection, hook.connection_id, Purpose.IN, "second")
    assert hook.take(message(bought, "order.created"), secret="second").status == 202
    assert hook.take(message(bought, "order.payment.failed")).status == 202
    run("UPDATE connection_secret SET valid_until = now() WHERE valid_until IS NOT NULL")
    assert hook.take(message(bought, "order.payment.failed", event_date=at(9, 1))).status == 401
    assert (
        hook.take(message(bought, "order.payment.failed", event_date=at(9, 1)), secret="second").status == 202
    )
