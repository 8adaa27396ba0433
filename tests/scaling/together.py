"""What the tests of a whole installation ask it."""

import http.client
import socket
import ssl
import time
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Page, expect

from db.connections.engine import viewer_transaction
from services.orders.filters import OrderFilter
from services.orders.saved_searches import save_search
from tests.scaling.servers import Proxy, Server
from tests.support import factories
from tests.support.chromium import settle


def signed_in(email: str) -> str:
    """The cookie of a new session."""
    [[account_id]] = factories.run("SELECT id FROM account WHERE email = :email", email=email)
    return factories.session(account_id)


def shows(page: Page, number: int) -> None:
    """The page says that so many orders were found."""
    count = f"{number:,} {'order' if number == 1 else 'orders'}"
    expect(page.locator(".es-count")).to_have_text([count], timeout=20_000)
    settle(page)


def orders_of(server: Server, *stores: str) -> int:
    statement = (
        "SELECT count(*) FROM orders JOIN checkout_page p ON p.id = checkout_page_id WHERE p.name = ANY (%s)"
    )
    return int(str(server.value(statement, list(stores))))


def cookie_of(page: Page, name: str) -> str:
    [value] = [cookie["value"] for cookie in page.context.cookies() if cookie["name"] == name]
    return value


def processes_of(proxy: Proxy, page: Page) -> set[str]:
    """The ports at which this browser's requests arrived."""
    own = cookie_of(page, "esupport_process")
    return {port for _, _, port, cookie in proxy.passed() if cookie == own}


def saved(email: str, order_filter: OrderFilter) -> str:
    [[account_id]] = factories.run("SELECT id FROM account WHERE email = :email", email=email)
    viewer = factories.viewer(account_id)
    with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
        return save_search(connection, viewer, order_filter)


def ask(proxy: Proxy, path: str, *, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
    context = ssl.create_default_context(cafile=str(proxy.authority))
    connection = http.client.HTTPSConnection("localhost", proxy.port, context=context, timeout=20)
    # Little room at this end, so that what is not read stays where it comes from.
    connection.sock = socket.socket()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    connection.sock.settimeout(20)
    connection.sock.connect(("127.0.0.1", proxy.port))
    connection.sock = context.wrap_socket(connection.sock, server_hostname="localhost")
    connection.request(
        method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    return connection.getresponse()


def post_message(proxy: Proxy) -> tuple[int, str]:
    """Send a message to an address that nobody has; the answer's status, and the port of the process that gave it."""
    path = f"/hooks/v1/{time.monotonic_ns()}"
    with closing(ask(proxy, path, method="POST", Content_Type="application/json")) as answer:
        answer.read()
    for _ in range(100):  # nginx writes a line after it has answered
        if ports := [port for uri, _, port, _ in proxy.passed() if uri == path]:
            return answer.status, ports[0]
        time.sleep(0.05)
    raise AssertionError("nginx wrote nothing.")


def process_at(port: str) -> int:
    """The web server that was told to serve at that port."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended in between
            continue
        if b"--server.port" in arguments and port.encode() in arguments:
            return int(folder.name)
    raise AssertionError(f"Nothing serves at port {port}.")
