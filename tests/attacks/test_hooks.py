"""`POST /hooks/v1/<key>` of a running portal: real HTTP, the worker, and what a stranger tries."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from services.connections.messages import MAX_BODY_BYTES
from tests.attacks.conftest import Answer, ask
from tests.services.connections.support import Shop, body_of, connect
from tests.support.factories import document
from tests.support.portal import Portal

pytestmark = pytest.mark.usefixtures("sessions")
ORDER = 8_800_001
BODY = body_of("order.upserted", document(order_id=ORDER, checkout_page="demo-eu"))


@pytest.fixture
def shop(sessions: None, portal: Portal) -> Iterator[Shop]:
    """Leaves the portal, which all tests share, as it was."""
    shop = connect("demo-eu")
    yield shop
    portal.execute("DELETE FROM connection WHERE id = %s", shop.id)
    portal.execute("DELETE FROM orders WHERE order_id BETWEEN %s AND %s", ORDER, ORDER + 100)


def post(portal: Portal, shop: Shop, body: bytes = BODY, message_id: str = "msg", **more: str) -> Answer:
    headers = {name.replace("-", "_"): value for name, value in shop.headers(body, message_id).items()}
    return ask(portal.url, "POST", f"/hooks/v1/{shop.key}", body, **(headers | more))


def test_an_order_is_there_moments_after_it_was_sent(portal: Portal, shop: Shop) -> None:
    """No cookie is sent, and what a browser of another site would send changes nothing."""
    answer = post(portal, shop, Origin="https://evil.example")
    assert (answer.status, answer.body) == (202, b'{"status":"accepted"}')
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Set-Cookie"] is None
    deadline = time.monotonic() + 20
    while not portal.execute("SELECT 1 FROM orders WHERE order_id = %s", ORDER):
        assert time.monotonic() < deadline, portal.execute("SELECT state, reason FROM inbox")
        time.sleep(0.05)
    assert post(portal, shop).status == 200


def test_other_methods_and_addresses_lead_nowhere(portal: Portal, shop: Shop) -> None:
    for method in ("PUT", "PATCH", "DELETE", "TRACE"):
        assert ask(portal.url, method, f"/hooks/v1/{shop.key}", BODY).status in (404, 405)
    for path in ("/hooks/", "/hooks/v1/", "/hooks/v2/x", f"/hooks/v1/{shop.key}/x", "/hooks/../session"):
        answer = ask(portal.url, "POST", path, BODY, Content_Type="application/json")
        assert answer.status in (308, 400, 403, 404, 405), path
    unknown = post(portal, Shop(0, "c_" + "0" * 22, shop.secret))
    assert unknown.status == 404
    assert shop.key.encode() not in ask(portal.url, "GET", f"/hooks/v1/{shop.key}").body


def test_a_body_that_is_too_large_or_breaks_off_is_no_error(portal: Portal, shop: Shop) -> None:
    assert post(portal, shop, b" " * (MAX_BODY_BYTES + 1)).status == 413
    parts = urlsplit(portal.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as line:
        head = (
            f"POST /hooks/v1/{shop.key} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            "Content-Length: 1000\r\n\r\n"
        )
        line.sendall(head.encode() + b'{"type": ')
    assert post(portal, shop).status == 202
    assert portal.execute("SELECT event_id FROM inbox WHERE connection_id = %s", shop.id) == [("msg",)]
    log = portal.log.read_text(encoding="utf-8", errors="replace")
    assert "Traceback" not in log
    assert shop.secret not in log


def test_fifty_messages_at_once_are_all_taken(portal: Portal, shop: Shop) -> None:
    def send(number: int) -> int:
        body = body_of("order.upserted", document(order_id=ORDER + number, checkout_page="demo-eu"))
        return post(portal, shop, body, f"many_{number}").status

    with ThreadPoolExecutor(50) as senders:
        assert set(senders.map(send, range(1, 101))) == {202}
