"""The whole of a larger installation at once, seen from Chromium: nginx, two portal processes, PgBouncer, a replica."""

import http.client
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from db.embedded.home import Home
from db.schema.statuses import RefundStatus
from pages.web.browser_cookies import SESSION, name_in
from services.orders.filters import OrderFilter, SearchInput, parse_filter
from tests.browser.support import NEVER_REFUNDED, Order, request, said
from tests.scaling.servers import Proxy, Replica, Server, nginx
from tests.scaling.together import (
    ask,
    cookie_of,
    orders_of,
    process_at,
    processes_of,
    saved,
    shows,
    signed_in,
)
from tests.support import factories
from tests.support.chromium import VIEWPORT, settle, watch
from tests.support.factories import document
from tests.support.portal import Portal, add_account, serving
from tests.support.ports import free_port
from tests.support.signing_in import sign_in_by_form

UTC = ZoneInfo("UTC")
SESSION_COOKIE = name_in(SESSION, secure=True)
# More than what the sockets on the way can hold between them.
LARGE_ORDERS, LARGE_CELL = 600, 40_000


@pytest.fixture(scope="module")
def proxy(
    servers: tuple[Server, Home],
    replica: Replica,
    bouncer: str,
    folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Proxy]:
    ports = (free_port(), free_port())
    (folder / "nginx").mkdir()
    environment = {
        "DATABASE_URL": servers[0].url,
        "ESUPPORT_APP_DATABASE_URL": bouncer,
        "DATABASE_READ_URL": replica.url,
        "ESUPPORT_TRUSTED_PROXIES": "127.0.0.1",
    }
    with ExitStack() as stack:
        for port in ports:
            log = tmp_path_factory.mktemp("portal") / "server.log"
            stack.enter_context(serving(os.environ | environment | {"PORT": str(port)}, log))
        yield stack.enter_context(nginx(ports, folder / "nginx"))


@pytest.fixture
def portal(proxy: Proxy, scaled: Server) -> Portal:
    return Portal(proxy.url, scaled.url, proxy.log)


@contextmanager
def browsing(proxy: Proxy, browser: Browser, email: str | None = None) -> Iterator[Page]:
    """A browser of its own; with `email`, one that was signed in before."""
    context = browser.new_context(viewport=VIEWPORT, base_url=proxy.url, ignore_https_errors=True)
    try:
        if email is not None:
            context.add_cookies([{"name": SESSION_COOKIE, "value": signed_in(email), "url": proxy.url}])
        yield context.new_page()
    finally:
        context.close()


@pytest.fixture(scope="module")
def anna(proxy: Proxy, browser: Browser) -> Iterator[Page]:
    """A tab that the first test signs in."""
    with browsing(proxy, browser) as page:
        yield page


def test_signing_in_and_searching_stays_at_one_process(portal: Portal, anna: Page, proxy: Proxy) -> None:
    number = orders_of(Server(portal.database_url), "demo-eu")
    complaints: list[str] = []
    watch(anna, complaints)
    anna.goto("/")
    sign_in_by_form(anna, "anna@demo.example")
    shows(anna, number)
    anna.reload()
    shows(anna, number)
    assert len(processes_of(proxy, anna)) == 1
    seen = {uri for uri, _, _, cookie in proxy.passed() if cookie == cookie_of(anna, "esupport_process")}
    assert seen >= {"/", "/_stcore/health"}
    sent = {cookie["name"]: cookie for cookie in anna.context.cookies()}
    assert all(sent[name]["secure"] for name in (SESSION_COOKIE, "esupport_process"))
    assert complaints == []


def test_without_tls_everybody_is_sent_to_tls(proxy: Proxy) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", proxy.plain_port, timeout=20)) as connection:
        connection.request("GET", "/?s=key", headers={"Host": "localhost"})
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Location"]) == (301, "https://localhost/?s=key")


def test_browsers_of_one_office_are_spread_and_each_comes_back(proxy: Proxy) -> None:
    drawn = {}
    for _ in range(20):
        with closing(ask(proxy, "/health")) as answer:
            assert answer.status == 200
            drawn[str(answer.headers["Set-Cookie"]).partition(";")[0]] = answer.read()
    assert len(drawn) == 20
    assert len({port for uri, _, port, _ in proxy.passed() if uri == "/health" and port}) == 2
    for cookie in list(drawn)[:3]:
        for _ in range(5):
            with closing(ask(proxy, "/health", Cookie=cookie)) as answer:
                assert answer.headers["Set-Cookie"] is None, "it is set once"
        own = cookie.partition("=")[2]
        assert len({port for *_, port, sent in proxy.passed() if sent == own}) == 1


def test_metrics_are_closed_and_large_bodies_refused(proxy: Proxy) -> None:
    for path in ("/_stcore/metrics", "/_stcore/metrics/", "/_stcore//metrics", "/readyz"):
        with closing(ask(proxy, path)) as answer:
            assert answer.status == 404
    with closing(ask(proxy, "/health", Content_Length=str(3 << 20))) as answer:
        assert answer.status == 413


def test_the_log_keeps_neither_tokens_nor_keys(proxy: Proxy) -> None:
    secret = "s3cret" * 6
    paths = (
        f"/?reset={secret}",
        f"/o/{secret}",
        f"/o/{secret}/documents/1",
        f"/hooks/v1/{secret}",
        f"/export/{secret}.csv?run={secret}",
        f"/_stcore/upload_file/{secret}/1",
        f"/media/{secret}.svg",
        f"//o/{secret}",
        f"/o//{secret}",
        f"/%6f/{secret}",
        f"/{secret}",
    )
    for path in paths:
        with closing(
            ask(proxy, path, Referer=f"https://localhost/?reset={secret}", Cookie=f"a={secret}")
        ) as answer:
            answer.read()
    # nginx writes a line after it has answered.
    for _ in range(50):
        written = proxy.log.with_name("site.log").read_text()
        if f"/{secret} " in written:
            break
        time.sleep(0.1)
    assert len([line for line in written.splitlines() if " GET " in line]) >= len(paths)
    assert " GET /o/- " in written
    assert written.count(secret) == 1, "what is nobody's address is kept"
    assert secret not in proxy.log.with_name("site-error.log").read_text()


def test_behind_tls_the_cookie_is_this_hosts_alone(proxy: Proxy, scaled: Server, anna: Page) -> None:
    [cookie] = [cookie for cookie in anna.context.cookies() if cookie["name"] == SESSION_COOKIE]
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Strict")
    assert (cookie["path"], cookie["domain"]) == ("/", "localhost")
    path = f"/export/{saved('anna@demo.example', OrderFilter.empty(UTC))}.csv"
    for name, status in ((SESSION_COOKIE, 200), (SESSION, 404)):
        with closing(ask(proxy, path, Cookie=f"{name}={signed_in('anna@demo.example')}")) as answer:
            answer.read()
            assert answer.status == status, "what another page could have set does not count"


def test_an_action_is_seen_at_once_although_the_replica_stands_still(
    portal: Portal, anna: Page, browser: Browser, scaled: Server, replica: Replica, proxy: Proxy
) -> None:
    requested = parse_filter(SearchInput(refunds=frozenset({RefundStatus.REQUESTED})), zone=UTC)
    number = "SELECT count(*) FROM orders WHERE refund_status = 'requested'"
    in_eu = number + " AND checkout_page_id = (SELECT id FROM checkout_page WHERE name = 'demo-eu')"
    before, before_in_eu = int(str(scaled.value(number))), int(str(scaled.value(in_eu)))
    address = f"/?s={saved('anna@demo.example', requested)}"
    order = Order(portal, f"o.status = 'paid' AND {NEVER_REFUNDED}")
    with browsing(proxy, browser, "refunds@demo.example") as rita:
        rita.goto(f"/?s={saved('refunds@demo.example', requested)}")
        shows(rita, before)
        with replica.paused():
            request(anna, order, "Bought twice")
            said(anna, f"Refund request has been sent for order {order.name}.")
            anna.goto(address)
            shows(anna, before_in_eu + 1)
            assert replica.value(number) == before
            rita.reload()
            shows(rita, before)  # from the replica: the control
        rita.get_by_role("button", name="Find").click()
        shows(rita, before + 1)


def test_a_withdrawn_store_is_gone_at_the_next_click(
    portal: Portal, browser: Browser, scaled: Server, replica: Replica, proxy: Proxy
) -> None:
    email = add_account(portal, "moved")
    scaled.execute(
        "INSERT INTO account_page SELECT a.id, p.id FROM account a, checkout_page p "
        "WHERE a.email = %s AND p.name IN ('demo-us', 'demo-apac')",
        email,
    )
    replica.catch_up()
    with browsing(proxy, browser, email) as page:
        page.goto("/")
        shows(page, orders_of(scaled, "demo-us", "demo-apac"))
        with replica.paused():
            scaled.execute(
                "DELETE FROM account_page WHERE account_id = (SELECT id FROM account WHERE email = %s) "
                "AND checkout_page_id = (SELECT id FROM checkout_page WHERE name = 'demo-apac')",
                email,
            )
            page.get_by_role("button", name="Find").click()
            shows(page, orders_of(scaled, "demo-us"))


def test_an_export_streams_from_the_replica_and_says_who_asked(
    portal: Portal, scaled: Server, replica: Replica, proxy: Proxy
) -> None:
    email, first = add_account(portal, "carla", role="analyst"), time.monotonic_ns()
    factories.take_in(
        *(document(order_id=first + n, checkout_page="large") for n in range(LARGE_ORDERS)),
    )
    scaled.execute(
        "UPDATE orders SET country = repeat('x', %s) WHERE order_id >= %s AND order_id < %s",
        LARGE_CELL,
        first,
        first + LARGE_ORDERS,
    )
    scaled.execute(
        "INSERT INTO account_page SELECT a.id, p.id FROM account a, checkout_page p "
        "WHERE a.email = %s AND p.name = 'large'",
        email,
    )
    replica.catch_up()
    path = f"/export/{saved(email, OrderFilter.empty(UTC))}.csv"
    copying = "SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'COPY%%' AND state = 'active'"
    cookie = f"{SESSION_COOKIE}={signed_in(email)}"
    with closing(ask(proxy, path, Cookie=cookie, X_Forwarded_For="203.0.113.9")) as answer:
        assert answer.status == 200
        begun = answer.read(100_000)
        assert replica.value(copying) is True, "the first rows are here while the database still reads"
        rest = answer.read()
    replica.waits_for(copying.replace("= 1", "= 0"))
    whole = begun + rest
    assert whole.count(b"\r\n") == LARGE_ORDERS + 1
    assert len(whole) > LARGE_ORDERS * LARGE_CELL
    [[address]] = scaled.execute(
        "SELECT address FROM audit_log WHERE account_email = %s AND action = 'export'", email
    )
    assert address == "127.0.0.1", "not what the client said of itself"


def test_the_portal_goes_on_when_the_replica_is_killed(anna: Page, scaled: Server, replica: Replica) -> None:
    anna.goto("/")
    shows(anna, orders_of(scaled, "demo-eu"))
    replica.kill()
    try:
        anna.get_by_role("button", name="Find").click()
        settle(anna)
        shows(anna, orders_of(scaled, "demo-eu"))
        anna.goto("/reports")
        expect(anna.get_by_text("Revenue").first).to_be_visible(timeout=20_000)
        expect(anna.get_by_text("Something went wrong")).to_have_count(0)
    finally:
        replica.start()


def test_a_killed_process_loses_nobody_their_session(anna: Page, scaled: Server, proxy: Proxy) -> None:
    [port] = processes_of(proxy, anna)
    os.kill(process_at(port), signal.SIGKILL)
    anna.goto("/")
    shows(anna, orders_of(scaled, "demo-eu"))
    expect(anna.get_by_label("Password", exact=True)).to_have_count(0)
    assert len(processes_of(proxy, anna)) == 2
    anna.reload()
    shows(anna, orders_of(scaled, "demo-eu"))
