"""Events of connections end a month after everybody has had them."""

import pytest

from db.connections.engine import jobs_transaction
from services.privacy.retention import apply_retention
from tests.services.delivery.support import connected_shop, happen
from tests.support.factories import run

REMOVED = "Old events of connections removed"


@pytest.fixture
def shop(database: str) -> None:
    run("DELETE FROM outbox_event")
    run("DELETE FROM connection")
    connected_shop("https://shop.example/hook")


def left() -> list[int]:
    return [order_id for (order_id,) in run("SELECT order_id FROM outbox_event ORDER BY order_id")]


def remove() -> int:
    with jobs_transaction() as connection:
        number = apply_retention(connection)[REMOVED]
        assert apply_retention(connection)[REMOVED] == 0
        return number


def test_what_was_delivered_ends_after_thirty_days_and_what_waits_does_not(shop: None) -> None:
    happen(1, 2, 3, 4, 5)
    run("UPDATE outbox_event SET created_at = now() - interval '40 days' WHERE order_id <> 5")
    settled = "UPDATE delivery SET state = 'delivered', settled_at = now() - :days * interval '1 day' "
    run(settled + "WHERE order_id IN (1, 4)", days=31)
    run(settled + "WHERE order_id IN (2, 5)", days=29)
    # What the shop has still to answer is looked up by its event.
    run(
        "INSERT INTO awaited_action (id, order_id, checkout_page_id, kind, subject, wish, account_name, account_email, "
        "state) SELECT action_id, order_id, checkout_page_id, 'refund', '1', '{}', 'A', 'a@example.com', 'sent' "
        "FROM outbox_event WHERE order_id = 4"
    )
    assert remove() == 1
    assert left() == [2, 3, 4, 5]
    assert run("SELECT count(*) FROM delivery WHERE order_id = 1") == [(0,)]
    run("DELETE FROM awaited_action")
    assert remove() == 1


def test_what_only_a_shops_database_reads_waits_for_its_acknowledgement(shop: None) -> None:
    happen(1, 2, 3)
    run("DELETE FROM delivery")
    run("UPDATE outbox_event SET created_at = now() - interval '40 days' WHERE order_id <> 3")
    run("UPDATE outbox_event SET created_at = now() - interval '367 days' WHERE order_id = 3")
    run("UPDATE outbox_event SET acknowledged_at = now() - interval '31 days' WHERE order_id = 1")
    assert remove() == 2
    assert left() == [2]
