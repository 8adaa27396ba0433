"""What the web server remembers of a connection: it makes an answer faster and never a different one."""

import pytest

from db.connections.engine import jobs_transaction, owner_engine
from db.schema.connection_states import Purpose
from services.connections.inbox import NOT_SIGNED, SEEN_BEFORE, UNKNOWN, receive
from services.connections.secrets import add_secret, new_secret
from services.delivery.incoming import INCOMING
from tests.services.connections.support import Shop, body_of, connect, inbox
from tests.support.factories import document, run

BODY = body_of("order.upserted", document(order_id=5))


@pytest.fixture
def shop(database: str) -> Shop:
    run("DELETE FROM connection")
    shop = connect()
    assert shop.send_bytes(BODY, "first").status == 202  # and the connection is remembered
    return shop


def test_a_connection_that_is_switched_off_answers_nothing_at_once(shop: Shop) -> None:
    run("UPDATE connection SET switched_off_at = now(), switched_off_because = 'a test'")
    assert shop.send_bytes(BODY, "second") == UNKNOWN
    run("UPDATE connection SET switched_off_at = NULL, switched_off_because = NULL")
    assert shop.send_bytes(BODY, "second").status == 202


def test_a_secret_counts_from_the_moment_it_is_made_until_the_moment_it_ends(shop: Shop) -> None:
    younger = new_secret()
    assert receive(INCOMING, shop.key, shop.headers(BODY, "young", secret=younger), BODY) == NOT_SIGNED
    with jobs_transaction() as connection:
        add_secret(connection, shop.id, Purpose.IN, younger)
    assert receive(INCOMING, shop.key, shop.headers(BODY, "young", secret=younger), BODY).status == 202
    assert shop.send_bytes(BODY, "old").status == 202
    run(
        "UPDATE connection_secret SET valid_until = now() - interval '1 second' WHERE secret = :it",
        it=shop.secret,
    )
    assert shop.send_bytes(BODY, "older") == NOT_SIGNED


def test_a_store_that_is_renamed_takes_documents_under_its_new_name(shop: Shop) -> None:
    run("UPDATE checkout_page SET name = 'renamed' WHERE name = 'shop-a'")
    try:
        refused = shop.send_bytes(BODY, "second")
        assert (refused.status, refused.field) == (422, "data.checkout_page")
        renamed = body_of("order.upserted", document(order_id=5, checkout_page="renamed"))
        assert shop.send_bytes(renamed, "third").status == 202
    finally:
        run("UPDATE checkout_page SET name = 'shop-a' WHERE name = 'renamed'")


def test_a_key_that_is_given_to_another_connection_is_the_other_ones(shop: Shop) -> None:
    run("DELETE FROM connection")
    other = connect("shop-b")
    run("UPDATE connection SET key = :key WHERE id = :id", key=shop.key, id=other.id)
    assert shop.send_bytes(BODY, "second") == NOT_SIGNED
    assert inbox("event_id") == []


def test_a_message_after_a_restart_of_the_database_is_stored_and_known(shop: Shop) -> None:
    with owner_engine().connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert shop.send_bytes(BODY, "second").status == 202
    assert shop.send_bytes(BODY, "second") == SEEN_BEFORE
