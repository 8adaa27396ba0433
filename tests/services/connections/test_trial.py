"""Test events, delivered to a shop of the test's own, and as a shop would send one."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from standardwebhooks.webhooks import Webhook

from db.connections.engine import viewer_transaction
from db.connections.viewers import SignedIn
from db.schema.connection_states import Purpose
from services.connections.inbox import receive
from services.connections.inbox_log import find_messages
from services.connections.kinds import make_secrets
from services.connections.trial import send_test_event, sign_example
from services.delivery.incoming import INCOMING
from services.errors import Conflict
from tests.services.connections.administering import administer, connect
from tests.support import factories
from tests.support.factories import run


class Shop(ThreadingHTTPServer):
    """Answers each request as `answer` says; `received` holds headers and bodies."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = (200, b"thank you")
        self.received: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Handler(BaseHTTPRequestHandler):
    server: Shop

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
        status, text = self.server.answer
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("ESUPPORT_HOOK_HOSTS", "127.0.0.1")
    server = Shop()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def admin(database: str) -> SignedIn:
    factories.account("anna", stores=["shop-a"])
    return factories.account("admin", role="administrator")


def test_a_test_event_is_signed_and_the_shops_answer_told(admin: SignedIn, shop: Shop) -> None:
    made = make_secrets(connect(admin).kind, sends_out=True)
    target = connect(admin, out_url=shop.url, secrets=made)
    assert administer(admin, send_test_event, target.id) == "The shop answered 200: thank you"
    [(headers, body)] = shop.received
    Webhook(made[Purpose.OUT]).verify(body, headers)
    assert json.loads(body)["type"] == "test"
    shop.answer = (500, b"out\nof order")
    assert administer(admin, send_test_event, target.id) == (
        "The shop answered 500: out of order Anything but 200 to 299 counts as not delivered."
    )
    assert run("SELECT details->>'status' FROM audit_log WHERE action = 'test connection' ORDER BY id") == [
        ("200",),
        ("500",),
    ]
    assert run("SELECT FROM outbox_event") == []


def test_what_cannot_be_sent_is_said(admin: SignedIn, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.shutdown()
    shop.server_close()
    target = connect(admin, out_url=shop.url)
    with pytest.raises(Conflict, match="No connection could be made"):
        administer(admin, send_test_event, target.id)
    monkeypatch.setenv("ESUPPORT_HOOK_HOSTS", "")
    with pytest.raises(Conflict, match="https://"):
        administer(admin, send_test_event, target.id)
    with pytest.raises(Conflict, match="no address that events are sent to"):
        administer(admin, send_test_event, connect(admin, out_url="", topics=[]).id)


def test_an_example_is_received_and_ignored(admin: SignedIn) -> None:
    target, viewer = connect(admin), factories.viewer(admin)
    with viewer_transaction(viewer.account_id) as connection:
        example = sign_example(connection, viewer, target.id, address=None)
    headers = {name.lower(): value for name, value in example.headers.items()}
    assert example.address == target.address
    assert receive(INCOMING, target.key, headers, example.body.encode()).status == 202
    with viewer_transaction(viewer.account_id) as connection:
        [message] = find_messages(connection, viewer, target.id)
    assert (message.type, message.state) == ("test", "ignored")
