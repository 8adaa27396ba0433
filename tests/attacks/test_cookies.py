"""The session's cookie and other secrets of a browser: what scripts, other sites, addresses and logs get of them."""

import http.server
import re
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from pages.web.browser_cookies import RESET, SESSION
from services.authentication import password_reset
from tests.attacks.conftest import ask
from tests.support.chromium import settle
from tests.support.line import line
from tests.support.portal import PASSWORD, Portal, add_account
from tests.support.signing_in import sign_in, sign_in_by_form

pytestmark = pytest.mark.usefixtures("sessions")


def test_no_script_reads_the_sessions_cookie(portal: Portal, page: Page) -> None:
    sign_in_by_form(page, add_account(portal, "Hanna"))
    [cookie] = [cookie for cookie in page.context.cookies() if cookie["name"] == SESSION]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", cookie["value"]), "a random token and nothing else"
    seen = page.evaluate(
        "document.cookie + JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage})"
    )
    assert cookie["value"] not in seen
    assert SESSION not in seen
    assert cookie["value"] not in page.content()


def test_a_ticket_that_was_used_is_worthless(portal: Portal, page: Page) -> None:
    brought: list[Request] = []
    page.on("request", lambda request: brought.append(request) if request.url.endswith("/session") else None)
    sign_in_by_form(page, add_account(portal, "Thea"))
    [request] = brought
    assert request.method == "POST"
    again = ask(portal.url, "POST", "/session", request.post_data_buffer, Origin=portal.url)
    assert (again.status, again.headers["Set-Cookie"]) == (410, None)


@pytest.mark.parametrize("is_own", [True, False])
def test_signing_out_clears_its_own_cookie_alone(portal: Portal, page: Page, is_own: bool) -> None:
    """Two tabs of one browser: the second one has signed in anew when the first one's sign-out arrives."""
    page.goto("/profile")
    sign_in_by_form(page, add_account(portal, "Olga"))
    [ended] = [cookie["value"] for cookie in page.context.cookies() if cookie["name"] == SESSION]
    tickets: list[bytes | None] = []

    def lose(route: Route) -> None:
        tickets.append(route.request.post_data_buffer)
        route.abort()

    tab = page.context.new_page()  # complaints about what is lost are none of the page's
    tab.route("**/session", lose)
    tab.goto("/profile")
    tab.get_by_role("button", name="Sign out").click()
    expect(tab.get_by_label("Email")).to_be_visible(timeout=20_000)
    for _ in range(100):
        if tickets:
            break
        tab.wait_for_timeout(50)
    cookie = ended if is_own else "n" * 43
    answer = ask(portal.url, "POST", "/session", tickets[0], Origin=portal.url, Cookie=f"{SESSION}={cookie}")
    assert answer.status == 204
    deleted = f"{SESSION}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
    assert answer.headers["Set-Cookie"] == (deleted if is_own else None)


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """A page of somebody else's, at another port of the same host: the browser sends the portal's cookies there."""

    class Empty(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>x</title>")

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Empty)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


_CONNECT = """
(url) => new Promise((resolve) => {
  const socket = new WebSocket(url, ["streamlit"]);
  socket.onopen = () => resolve("open");
  socket.onerror = () => resolve("refused");
})
"""
_POST = "(url) => fetch(url, {method: 'POST', body: 'x', credentials: 'include', mode: 'no-cors'}).then(() => 'sent')"


def test_a_page_at_another_port_speaks_to_nobody_here(portal: Portal, page: Page, elsewhere: str) -> None:
    sign_in(page, portal, "anna@demo.example")
    stream = f"{portal.url.replace('http', 'ws', 1)}/_stcore/stream"
    assert page.evaluate(_CONNECT, stream) == "open", (
        "the control: the portal's own page may, by its policy too"
    )
    assert page.context.browser
    foreign = page.context.browser.new_context(storage_state=page.context.storage_state()).new_page()
    try:
        foreign.goto(elsewhere)
        assert foreign.evaluate(_CONNECT, stream) == "refused"
        with foreign.expect_response("**/session") as answered:
            foreign.evaluate(_POST, f"{portal.url}/session")
        assert answered.value.status == 403
        # Nor does it show the portal inside of itself.
        foreign.set_content(f"<iframe src='{portal.url}/'></iframe>")
        foreign.wait_for_timeout(1_000)
        assert foreign.frames[1].url.startswith("chrome-error:")
    finally:
        foreign.context.close()


def test_the_policy_lets_nothing_go_elsewhere(portal: Portal, browser: Browser, elsewhere: str) -> None:
    tab = browser.new_context(base_url=portal.url).new_page()
    try:
        tab.goto("/")
        expect(tab.get_by_label("Email")).to_be_visible(timeout=20_000)
        for script in (
            "(url) => fetch(url, {mode: 'no-cors'}).then(() => 'sent', () => 'refused')",
            "(url) => { try { new WebSocket(url.replace('http', 'ws')).onopen; } catch { return 'refused'; } }",
        ):
            violated = """(url) => new Promise((resolve) => {
              document.addEventListener("securitypolicyviolation", (e) => resolve(e.effectiveDirective), {once: true});
              (%s)(url);
              setTimeout(() => resolve("nothing was refused"), 3000);
            })"""
            assert tab.evaluate(violated % script, elsewhere) == "connect-src"
    finally:
        tab.context.close()


def link_for(portal: Portal, email: str) -> str:
    """The link of the mail that was queued for them."""
    password_reset.request_link(email, address=None)
    [[text]] = portal.execute(
        "SELECT text_body FROM mail WHERE to_address = %s ORDER BY id DESC LIMIT 1", email
    )
    match = re.search(r"https?://\S+reset=(\S+)", text)
    assert match
    return match[1]


def test_the_token_of_a_link_is_gone_from_the_address_at_once(portal: Portal, page: Page) -> None:
    email = add_account(portal, "Rosa")
    token = link_for(portal, email)
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.goto(f"/?reset={token}")
    expect(page.get_by_role("heading", name="Set a new password").first).to_be_visible(timeout=20_000)
    assert token not in page.url
    with_token = [request.url for request in asked if token in request.url]
    assert len(with_token) == 1, "the link itself"
    assert all(token not in str(request.all_headers().get("referer", "")) for request in asked)
    [cookie] = [cookie for cookie in page.context.cookies() if cookie["name"] == RESET]
    assert (cookie["value"], cookie["httpOnly"], cookie["sameSite"]) == (token, True, "Strict")
    page.reload()  # still there
    page.get_by_label("New password", exact=True).fill("quite long enough")
    page.get_by_label("New password again").fill("quite long enough")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text("Your password was set.")).to_be_visible(timeout=20_000)
    settle(page)
    sign_in_by_form(page, email, "quite long enough")
    assert RESET not in [cookie["name"] for cookie in page.context.cookies()]
    page.goto(f"/?reset={token}")
    expect(page.get_by_text("This link was used already")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Go to sign in").click()
    expect(page.get_by_text("This link was used already")).to_have_count(0)


@pytest.mark.parametrize(
    "token", ["x", "", "%00", "x;%20Path=/", "x" * 5000, "a%0d%0aSet-Cookie:%20b=c", "é"]
)
def test_a_link_with_nonsense_leads_to_a_sentence(portal: Portal, page: Page, token: str) -> None:
    answer = ask(portal.url, path=f"/?reset={'%C3%A9' if token == 'é' else token}&s=abc")
    if token:
        assert (answer.status, answer.headers["Location"]) == (303, "?s=abc&reset=1")
    cookies = answer.headers.get_all("Set-Cookie") or []
    assert all(line.startswith(f"{RESET}=; ") for line in cookies if RESET in line)
    page.goto(f"/?reset={token}")
    if token:
        expect(page.get_by_text("This link was used already")).to_be_visible(timeout=20_000)


def test_no_log_and_no_answer_has_a_secret(portal: Portal, page: Page) -> None:
    email = add_account(portal, "Lotte")
    token = link_for(portal, email)
    page.goto(f"/?reset={token}")
    expect(page.get_by_role("heading", name="Set a new password").first).to_be_visible(timeout=20_000)
    page.goto("/")
    sign_in_by_form(page, email)
    cookies = [cookie["value"] for cookie in page.context.cookies() if cookie["name"] in (SESSION, RESET)]
    with line(portal.url, tab=token) as attacker:
        attacker.run()
    said = portal.log.read_text(errors="replace")
    assert all(secret not in said for secret in (token, PASSWORD, *cookies))


def test_every_answer_keeps_its_address_to_itself(portal: Portal) -> None:
    for path in (
        "/",
        "/profile",
        "/?reset=x",
        "/health",
        "/o/x",
        "/documents/1",
        "/media/x",
        "/_stcore/health",
    ):
        answer = ask(portal.url, path=path)
        assert answer.headers["Referrer-Policy"] == "no-referrer", path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_the_cookie_of_the_old_version_is_deleted(portal: Portal) -> None:
    answer = ask(portal.url, path="/", Cookie="esupport=a.b.c; esupport_process=d")
    assert any(text.startswith("esupport=;") for text in answer.headers.get_all("Set-Cookie") or [])
    assert urlsplit(portal.url).hostname == "localhost"
