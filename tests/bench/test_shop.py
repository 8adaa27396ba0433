"""The pretend shop: its documents are ones that the import takes, and the path of a newcomer works."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bench.shop import catalogue
from bench.shop.catalogue import Document
from bench.shop.connecting import NotADemo, connect
from db.connections import engine
from db.connections.roles import libpq_url
from services.actions import Action
from services.importing.document import parse_order
from services.order_actions.subscriptions import cancel_subscription, resume_subscription
from tests.support import factories
from tests.support.databases import create_database, drop_database
from tests.support.portal import PROJECT
from tests.support.ports import free_port

PATIENCE = 30.0


def test_documents_are_taken_in_at_every_step() -> None:
    orders: list[Document] = []
    for _ in range(10):
        orders.append(catalogue.place_order(orders, "demo-eu"))
    catalogue.pay(orders[0])
    orders.append(catalogue.renew(orders, orders[0]))
    orders.append(catalogue.renew(orders, orders[-1]))
    subscription = orders[0]["items"][0]["subscription"]["id"]
    assert len(catalogue.set_renewal(orders, subscription, active=False)) == 3
    catalogue.refund(orders[0])
    assert len({order["order_id"] for order in orders}) == 12
    assert {order["items"][0]["subscription"].get("parent_order_id") for order in orders[-2:]} == {
        orders[0]["order_id"]
    }
    for order in orders:
        parsed = parse_order(json.dumps(order), 1)
        assert parsed.warnings == ()


@dataclass(frozen=True)
class Running:
    """The portal and the shop as `make shop` starts them."""

    portal: str
    shop: str
    database_url: str

    def press(self, path: str) -> None:
        """Press a button of the shop's page."""
        request = urllib.request.Request(f"{self.shop}{path}", b"", method="POST")
        with urllib.request.urlopen(request, timeout=10) as page:
            assert page.status == 200

    def page(self) -> str:
        with urllib.request.urlopen(self.shop, timeout=10) as page:
            return str(page.read().decode())

    def orders(self) -> list[Document]:
        with urllib.request.urlopen(f"{self.shop}/orders.json", timeout=10) as answer:
            orders: list[Document] = json.load(answer)
            return orders

    # Any: columns of the database.
    def rows(self, statement: str, *values: object) -> list[Any]:
        with psycopg.connect(libpq_url(self.database_url)) as connection:
            return connection.execute(statement, values).fetchall()


def until(expected: object, look: Callable[[], object]) -> None:
    """Look until it is what is expected; what was seen last is in the failure."""
    deadline = time.monotonic() + PATIENCE
    while (seen := look()) != expected and time.monotonic() < deadline:
        time.sleep(0.1)
    assert seen == expected


@pytest.fixture(scope="module")
def running(
    server_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """One command starts the portal and the shop, and connects the two."""
    name = f"esupport_shop_{uuid.uuid4().hex[:8]}"
    url = create_database(server_url, name, template_database)
    portal_port, shop_port = free_port(), free_port()
    folder = tmp_path_factory.mktemp("shop")
    environment = os.environ | {
        "DATABASE_URL": url,
        "ESUPPORT_DATA": str(folder / "data"),
        "PORT": str(portal_port),
    }
    for variable in ("ESUPPORT_APP_DATABASE_URL", "ESUPPORT_HOOK_HOSTS", "SMTP_URL", "ESUPPORT_BASE_URL"):
        environment.pop(variable, None)
    subprocess.run(
        [sys.executable, "-m", "db", "demo", "--orders", "5"],
        cwd=PROJECT,
        env=environment,
        check=True,
        timeout=300,
    )
    running = Running(f"http://localhost:{portal_port}", f"http://127.0.0.1:{shop_port}", url)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.shop", "--port", str(shop_port)],
            cwd=PROJECT, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        _wait(running.shop, process, folder / "log")
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        drop_database(server_url, name)


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"The shop did not start:\n{log.read_text(errors='replace')}")


@pytest.fixture
def in_process(running: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The services of this process work on the same database."""
    monkeypatch.setenv("DATABASE_URL", running.database_url)
    engine.dispose_engines()
    yield
    engine.dispose_engines()


def change_renewal(running: Running, order_id: int, change: Action[...]) -> None:
    """What Anna does when she presses the button on the order's page."""
    [[anna]] = running.rows("SELECT id FROM account WHERE email = 'anna@demo.example'")
    factories.act(factories.signed_in(anna), change, order_id, position=1)


@pytest.mark.slow
def test_an_order_arrives_and_a_cancellation_comes_back_confirmed(running: Running, in_process: None) -> None:
    running.press("/orders")
    order_id = running.orders()[-1]["order_id"]
    until([("not paid",)], lambda: running.rows("SELECT status FROM orders WHERE order_id = %s", order_id))
    running.press(f"/orders/{order_id}/pay")
    until([("paid", True)], lambda: running.rows(
        "SELECT status, delivered FROM orders WHERE order_id = %s", order_id))  # fmt: skip

    def last_action() -> list[Any]:
        return running.rows(
            "SELECT state FROM awaited_action WHERE order_id = %s ORDER BY recorded_at DESC LIMIT 1", order_id
        )

    def renewal() -> list[Any]:
        return running.rows("SELECT status FROM subscription WHERE order_id = %s", order_id)

    change_renewal(running, order_id, cancel_subscription)
    until([("confirmed",)], last_action)
    until([("cancelled",)], renewal)
    assert running.orders()[-1]["items"][0]["subscription"]["status"] == "cancelled"

    running.press("/switches/refuses")
    change_renewal(running, order_id, resume_subscription)
    until([("refused",)], last_action)
    assert renewal() == [("cancelled",)]
    running.press("/switches/refuses")

    running.press("/switches/is_down")
    change_renewal(running, order_id, resume_subscription)
    until(True, lambda: "answered 503" in running.page())
    assert last_action() == [("recorded",)]
    running.press("/switches/is_down")
    until([("confirmed",)], last_action)
    until([("active",)], renewal)

    running.press("/switches/sends_doubles")
    running.press(f"/orders/{order_id}/renew")
    child = running.orders()[-1]["order_id"]
    until([("paid",)], lambda: running.rows("SELECT status FROM orders WHERE order_id = %s", child))
    assert "and then 200" in running.page()
    assert running.rows("SELECT count(*) FROM inbox WHERE order_id = %s", child) == [(1,)]


@pytest.mark.slow
def test_the_page_takes_no_orders_from_other_sites(running: Running) -> None:
    before = len(running.orders())
    request = urllib.request.Request(
        f"{running.shop}/orders", b"", {"Origin": "https://evil.example"}, method="POST"
    )
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=10)
    for path in ("/orders/1/pay", f"/orders/{10**9}/nothing", "/switches/store"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            running.press(path)
    assert len(running.orders()) == before


@pytest.mark.slow
def test_an_event_that_somebody_else_signed_is_refused(running: Running) -> None:
    body = b'{"type": "refund.approved", "timestamp": "2026-03-01T10:00:00Z", "data": {"action_id": "x"}}'
    headers = {"webhook-id": "x", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,AAAA"}
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(urllib.request.Request(f"{running.shop}/esupport", body, headers), timeout=10)


def test_a_database_without_the_demo_is_left_alone(database: str) -> None:
    with pytest.raises(NotADemo, match="no demo accounts"):
        connect("http://localhost:8600/esupport")
    assert factories.run("SELECT count(*) FROM connection") == [(0,)]
