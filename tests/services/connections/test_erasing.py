"""Erasing a person covers what came in and what goes out, and nothing brings the person back."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from db.connections.engine import jobs_transaction, owner_engine, viewer_transaction
from db.connections.viewers import SignedIn
from services.actions import ActionRequest, perform
from services.delivery.incoming import apply_incoming
from services.privacy.erasure import erase_personal_data, preview_erasure
from services.privacy.retention import apply_retention
from tests.services.connections.support import connect, inbox, states
from tests.support import factories
from tests.support.factories import Document, document, item, run
from tests.support.rounds import RACE_ROUNDS

pytestmark = pytest.mark.usefixtures("nothing_yet")
EMAIL = "ines.araujo@example.com"
CUSTOMER = {
    "country": "PT",
    "email": EMAIL,
    "first_name": "Inêsita",
    "last_name": "Araújo",
    "phone": "+351 21 999 88 77",
}
TRACES = ("ines.araujo", "Inêsita", "Araújo", "Ara\\u00fajo", "999 88 77", "7391", "Rua Secreta", "wedding")
TABLES = (
    "connection",
    "inbox",
    "outbox_event",
    "delivery",
    "awaited_action",
    "orders",
    "order_item",
    "order_history",
)


@pytest.fixture(scope="module")
def admin(database: str) -> SignedIn:
    return factories.account("admin", role="administrator")


def order(order_id: int = 500, **more: Any) -> Document:
    return document(**{
        "order_id": order_id, "customer": CUSTOMER, "payment": {"card_last_4": "7391"},
        "order_detail_url": "https://shop.example/o?mail=ines.araujo%40example.com",
        "items": [item(item_id="a", license_user={"email": EMAIL, "first_name": "Inêsita"},
                       additional_fields=[{"name": "for", "value": "a wedding"}])],
        "history": [{"date": "2026-03-01T10:00:00Z", "kind": "status", "text": "Inêsita Araújo has paid"}],
        "additional_data": [{"name": "address", "value": "Rua Secreta 5"}],
    } | more)  # fmt: skip


def erase(admin: SignedIn, email: str = EMAIL) -> str:
    """What the page does: a preview, and the deletion of what it showed."""
    viewer = factories.viewer(admin)
    with viewer_transaction(viewer.account_id) as connection:
        parts = preview_erasure(connection, viewer, email=email).parts
    request = ActionRequest(key=uuid4(), address=None, order_id=None)
    return perform(viewer, request, erase_personal_data, email=email, expected=parts)


def traces() -> list[tuple[str, str]]:
    """Where the person is still found, in whatever way it is written."""
    left = []
    for table in TABLES:
        columns = "to_jsonb(t) || jsonb_build_object('body', readable_body(t.body), 'raw', encode(t.body, 'escape'))"
        row = columns if table == "inbox" else "to_jsonb(t)"
        for (content,) in run_as_owner(f"SELECT {row} FROM {table} t"):
            text = json.dumps(content, ensure_ascii=False)
            left += [(table, trace) for trace in TRACES if trace in text]
    return left


def run_as_owner(statement: str) -> list[Any]:
    with owner_engine().begin() as connection:
        return list(connection.exec_driver_sql(statement))


def make_traces() -> None:
    """What else may name the person: errors and answers."""
    for statement in OTHER_TRACES.strip().split(";"):
        run(statement)


OTHER_TRACES = """
UPDATE inbox SET reason = 'Expected an e-mail, but has ines.araujo@example.com', field = 'data.Araújo'
    WHERE order_id = 500;
INSERT INTO outbox_event (id, type, action_id, order_id, checkout_page_id, data)
    SELECT gen_random_uuid(), 'refund.requested', gen_random_uuid(), order_id, checkout_page_id, '{}' FROM orders;
INSERT INTO delivery (event_id, connection_id, order_id, seq, last_error)
    SELECT e.id, c.id, order_id, seq, 'No account for ines.araujo@example.com' FROM outbox_event e, connection c;
UPDATE connection SET trouble = 'ines.araujo@example.com?', trouble_since = now();
INSERT INTO awaited_action (id, connection_id, order_id, checkout_page_id, kind, subject, wish, account_name,
        account_email, message)
    SELECT gen_random_uuid(), c.id, order_id, o.checkout_page_id, 'refund', '1',
        jsonb_build_object('note', 'Inêsita Araújo called'), 'x', 'y', 'Card of Inêsita Araújo was refunded'
    FROM orders o, connection c WHERE order_id = 500
"""


def test_no_body_holds_the_person_afterwards(admin: SignedIn) -> None:
    shop = connect()
    shop.send("order.upserted", order())
    shop.send("order.upserted", document(order_id=501, customer={"email": "friend@example.com"}))
    apply_incoming()
    # Refused, ignored, about another order, with escapes, and not even JSON.
    shop.send("order.upserted", order(status="eaten"))
    shop.send("invoice.printed", {"to": EMAIL})
    shop.send("order.upserted", document(order_id=502, items=[], order_name=f"for {EMAIL}"))
    escaped = json.dumps({"type": "x", "timestamp": "2026-01-01T00:00:00Z", "data": {"to": EMAIL}})
    shop.send_bytes(escaped.replace("@", "\\u0040").replace("ines", "\\u0069nes").encode())
    shop.send_bytes(f"to: {EMAIL}".encode())
    make_traces()
    assert {table for table, _ in traces()} >= {"connection", "inbox", "delivery", "awaited_action", "orders"}
    sentence = erase(admin)
    assert "6 messages" in sentence
    assert traces() == []
    is_there = dict(inbox("order_id, body IS NOT NULL"))
    assert is_there[501], "what is not about the person stays"
    assert run("SELECT wish->>'note' FROM awaited_action WHERE order_id = 500") == [("deleted called",)]


def test_what_waits_is_merged_without_the_person(admin: SignedIn) -> None:
    shop = connect()
    shop.send("order.upserted", order(updated_at="2026-03-01T00:00:00Z"))
    apply_incoming()
    shop.send("order.upserted", order(order_name="renamed", updated_at="2026-03-02T00:00:00Z"))
    # An order of theirs that is not here yet, and one of a friend that mentions them.
    shop.send("order.upserted", order(510))
    shop.send(
        "order.upserted",
        document(
            order_id=520,
            customer={"email": "friend@example.com"},
            history=[{"date": "2026-03-01T10:00:00Z", "kind": "status", "text": f"Offered to {EMAIL}"}],
        ),
    )
    erase(admin)
    assert states() == ["applied", "waiting", "waiting", "waiting"]
    assert traces() == []
    assert apply_incoming() == 3
    assert states() == ["applied"] * 4
    assert traces() == []
    assert run("SELECT order_name, customer_erased, country FROM orders WHERE order_id <> 520 ORDER BY order_id") == [
        ("renamed", True, "PT"), ("A0000000510", True, "PT"),
    ]  # fmt: skip
    assert run("SELECT email FROM orders WHERE order_id = 520") == [("friend@example.com",)]


def test_what_comes_later_is_merged_and_not_kept(admin: SignedIn) -> None:
    shop = connect()
    shop.send("order.upserted", order(updated_at="2026-03-01T00:00:00Z"))
    apply_incoming()
    erase(admin)
    shop.send("order.upserted", order(order_name="renamed", updated_at="2026-03-02T00:00:00Z"))
    shop.send("order.upserted", order(status="eaten"))
    apply_incoming()
    assert states() == ["applied", "applied", "refused"]
    assert run("SELECT order_name FROM orders") == [("renamed",)]
    assert traces() == []


def test_a_shop_erases_its_own_customer_and_nobody_elses(admin: SignedIn) -> None:
    shop, other = connect("shop-a"), connect("shop-b")
    shop.send("order.upserted", order())
    shop.send(
        "order.upserted",
        document(
            order_id=501, customer={"email": "x@example.com"}, items=[item(license_user={"email": EMAIL})]
        ),
    )
    other.send("order.upserted", order(600, checkout_page="shop-b"))
    apply_incoming()
    elsewhere = run("SELECT to_jsonb(o) FROM orders o WHERE order_id = 600")
    assert shop.send("customer.erased", {"email": EMAIL.upper()}).status == 202
    assert shop.send("customer.erased", {"email": EMAIL}).status == 202
    assert shop.send("customer.erased", {"email": "nobody@example.com"}).status == 202
    apply_incoming()
    assert states()[3:] == ["applied", "unchanged", "unchanged"]
    assert run("SELECT order_id, customer_erased, email FROM orders ORDER BY 1") == [
        (500, True, None), (501, False, "x@example.com"), (600, False, EMAIL),
    ]  # fmt: skip
    assert run("SELECT to_jsonb(o) FROM orders o WHERE order_id = 600") == elsewhere
    assert run("SELECT license_email FROM order_item ORDER BY order_id") == [(None,), (None,), (EMAIL,)]
    assert run("SELECT order_id, author FROM order_history WHERE kind = 'anonymization' ORDER BY 1") == [
        (500, "the shop"), (501, "the shop"),
    ]  # fmt: skip
    bodies = {row[0]: row[1] for row in inbox("event_id, convert_from(body, 'UTF8')") if row[1]}
    assert [body for body in bodies.values() if EMAIL in body.lower() and "shop-b" not in body] == []
    assert len(bodies) == 1, "the other store's message stays"
    [[details]] = run(
        "SELECT details FROM audit_log WHERE action = 'erase personal data' AND account_id IS NULL "
        "ORDER BY id DESC LIMIT 1"
    )
    assert (details["by"], details["connection"], details["orders"]) == ("the shop", shop.id, 2)


def test_a_document_that_says_erased_reaches_no_other_store(admin: SignedIn) -> None:
    shop, other = connect("shop-a"), connect("shop-b")
    other.send("order.upserted", order(600, checkout_page="shop-b"))
    apply_incoming()
    run(
        "INSERT INTO mail (message_id, kind, subject, text_body, to_address, order_id, checkout_page_id) "
        "SELECT 'm', 'licence', 's', 't', :email, order_id, checkout_page_id FROM orders",
        email=EMAIL,
    )
    shop.send("order.upserted", order(500))
    shop.send("order.upserted", order(500, customer={"erased": True}))
    apply_incoming()
    assert run("SELECT customer_erased FROM orders ORDER BY order_id") == [(True,), (False,)]
    assert run("SELECT license_email FROM order_item WHERE order_id = 600") == [(EMAIL,)]
    assert run("SELECT to_address, state FROM mail") == [(EMAIL, "queued")]
    run("DELETE FROM mail")


def test_what_became_of_a_message_is_kept_for_thirty_days() -> None:
    shop = connect()
    for number in range(3):
        shop.send("order.upserted", document(order_id=number + 1), f"msg_{number}")
    run("UPDATE inbox SET received_at = now() - interval '31 days' WHERE event_id <> 'msg_2'")
    run("UPDATE inbox SET state = 'applied', settled_at = now() WHERE event_id <> 'msg_1'")
    with jobs_transaction() as connection:
        assert apply_retention(connection)["Old messages of shops removed"] == 1
        assert apply_retention(connection)["Old messages of shops removed"] == 0
    # One that waits is not lost, however old it is.
    assert inbox("event_id, state") == [("msg_1", "waiting"), ("msg_2", "applied")]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(max(4, RACE_ROUNDS // 8)))
def test_a_message_that_is_merged_at_the_same_instant_brings_nobody_back(
    admin: SignedIn, number: int
) -> None:
    shop = connect()
    shop.send("order.upserted", order(updated_at="2026-03-01T00:00:00Z"))
    apply_incoming()
    for minute in range(1, 6):
        shop.send("order.upserted", order(updated_at=f"2026-03-02T00:{minute:02}:00Z"))
    together = threading.Barrier(2)

    def work() -> None:
        together.wait()
        apply_incoming()

    with ThreadPoolExecutor(1) as workers:
        working = workers.submit(work)
        together.wait()
        time.sleep(number * 0.003)
        erase(admin)
        working.result()
    run("UPDATE inbox SET next_attempt_at = now() WHERE state = 'waiting'")
    apply_incoming()
    assert "waiting" not in states()
    assert traces() == []
