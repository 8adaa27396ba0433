"""The web server's doors: other sites, uploads, large bodies, forged addresses, garbage."""

import os
import time
import uuid
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus

from pages.web import tabs
from pages.web.browser_cookies import SESSION
from tests.attacks.conftest import ask, session_of
from tests.support.line import line
from tests.support.portal import Portal, add_account, serving
from tests.support.ports import free_port

pytestmark = pytest.mark.usefixtures("sessions")

UPLOAD = "/_stcore/upload_file/{tab}/{file}"
BOUNDARY = "----x"


def multipart(content: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    return head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def upload(portal: Portal, tab: str, content: bytes, method: str = "PUT", **headers: str) -> int:
    """The status; with the token against forged requests that Streamlit itself asks for."""
    xsrf = ask(portal.url, path="/_stcore/health").headers["Set-Cookie"].split(";")[0]
    cookies = "; ".join(part for part in (xsrf, headers.pop("Cookie", "")) if part)
    sent = {
        "Origin": portal.url,
        "X_Xsrftoken": xsrf.partition("=")[2],
        "Content_Type": f"multipart/form-data; boundary={BOUNDARY}",
    } | headers
    path = UPLOAD.format(tab=tab, file=uuid.uuid4())
    return ask(portal.url, method, path, multipart(content), Cookie=cookies, **sent).status


@pytest.mark.parametrize("origin", ["http://localhost:1", "http://evil.example", "null", None])
def test_another_site_gets_no_websocket(portal: Portal, origin: str | None) -> None:
    cookie = f"{SESSION}={session_of(portal, 'anna@demo.example')}"
    with pytest.raises(InvalidStatus) as refused, line(portal.url, cookie=cookie, origin=origin):
        pass
    assert refused.value.response.status_code == 403
    with line(portal.url, cookie=cookie) as own:  # the control
        assert own.run().shows("Sign out") or own.shows("Anna")


def test_only_administrators_upload_and_only_into_their_own_tab(portal: Portal) -> None:
    cookies = {
        name: f"{SESSION}={session_of(portal, f'{name}@demo.example')}"
        for name in ("admin", "anna", "refunds")
    }
    with line(portal.url, cookie=cookies["admin"]) as own, line(portal.url, cookie=cookies["anna"]) as hers:
        tab, annas = own.run().tab, hers.run().tab
        assert upload(portal, tab, b"x") == 403, "nobody"
        assert upload(portal, tab, b"x", Cookie=cookies["anna"]) == 403
        assert upload(portal, annas, b"x", Cookie=cookies["anna"]) == 403
        assert upload(portal, annas, b"x", Cookie=cookies["admin"]) == 403
        assert upload(portal, tab, b"x", Cookie=cookies["admin"], Origin="http://localhost:1") == 403
        assert upload(portal, tab, b"x", method="DELETE") == 403
        assert upload(portal, tab, b"x", method="POST", Cookie=cookies["admin"]) in (403, 405)
        assert upload(portal, tab, b"x" * (3 << 20), Cookie=cookies["admin"]) == 413
        assert upload(portal, tab, b"x", Cookie=cookies["admin"]) == 204, "the control"


def test_a_large_body_is_refused_before_it_was_sent(portal: Portal) -> None:
    import socket

    for path in (UPLOAD.format(tab="x", file="y"), "/session", "/", "/export/x.csv"):
        with socket.create_connection(("localhost", int(portal.url.rpartition(":")[2])), timeout=10) as raw:
            raw.sendall(
                f"PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 15000000\r\n\r\nx".encode()
            )
            status = raw.recv(100).split(b" ")[1]
            assert status in (b"403", b"405"), (path, status)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_else_can_be_changed_by_a_request(portal: Portal, method: str) -> None:
    cookie = f"{SESSION}={session_of(portal, 'admin@demo.example')}"
    for path in ("/", "/export/x.csv", "/documents/1", "/health", "/_stcore/stream", "/component/x"):
        answer = ask(portal.url, method, path, b"", Cookie=cookie, Origin=portal.url)
        assert answer.status == 405, path


def test_what_streamlit_tells_strangers_about_itself_is_closed(portal: Portal) -> None:
    for path in ("/_stcore/metrics", "/_stcore/agent/openapi.json", "/_stcore/agent/interact"):
        assert ask(portal.url, path=path).status == 404


def test_a_session_is_set_by_a_ticket_alone(portal: Portal) -> None:
    for body in (b"", b"x", b"x" * 43, b"x" * 1_000_000, b"\xff\xfe"):
        answer = ask(portal.url, "POST", "/session", body, Origin=portal.url)
        assert answer.status in (410, 413)
        assert answer.headers["Set-Cookie"] is None
    assert ask(portal.url, "POST", "/session", b"x" * 43, Origin="http://localhost:1").status == 403
    assert ask(portal.url, "POST", "/session", b"x" * 43).status == 403
    assert ask(portal.url, "GET", "/session").headers["Set-Cookie"] is None


@pytest.mark.parametrize(
    ("what", "code"),
    [("text", 1003), (b"garbage" * 20, 1002), (b"\0" * 200_000, 1009)],
    ids=["text", "garbage", "huge"],
)
def test_garbage_is_one_line_of_the_log(portal: Portal, what: str | bytes, code: int) -> None:
    before = portal.log.stat().st_size
    with line(portal.url) as attacker:
        attacker.socket.send(what)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                attacker.socket.recv(timeout=20)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == code
    time.sleep(0.3)
    said = portal.log.read_bytes()[before:].decode()
    assert "Traceback" not in said
    assert len([text for text in said.splitlines() if "connection was closed: it sent" in text]) == 1


def test_a_message_that_means_nothing_breaks_nothing(portal: Portal) -> None:
    before = portal.log.stat().st_size
    message = BackMsg()
    message.rerun_script.page_script_hash = "none"
    message.rerun_script.query_string = "%00%ff&&=&reset=\ud7ff"
    message.rerun_script.widget_states.widgets.add(id="$$ID-x-None", string_value="\0")
    message.rerun_script.widget_states.widgets.add(id="x", json_value="{")
    with line(portal.url) as attacker:
        for sent in (message, BackMsg(load_git_info=True), BackMsg(stop_script=True), BackMsg()):
            attacker.socket.send(sent.SerializeToString())
        assert attacker.run().tab
    assert "Traceback" not in portal.log.read_bytes()[before:].decode()


def test_strangers_do_not_fill_the_memory_with_tabs(portal: Portal) -> None:
    from contextlib import ExitStack

    cookie = f"{SESSION}={session_of(portal, 'anna@demo.example')}"
    with ExitStack() as stack:
        refused = 0
        for _ in range(tabs.MOST_STRANGERS_OF_ONE + 3):
            try:
                stack.enter_context(line(portal.url))
            except InvalidStatus as error:
                refused += error.response.status_code == 403
        assert refused >= 3
        assert stack.enter_context(line(portal.url, cookie=cookie)).run().tab, "whoever is signed in goes on"
    deadline = time.monotonic() + 10
    while True:  # and they are counted while they last
        try:
            with line(portal.url) as next_one:
                assert next_one.run().tab
            return
        except InvalidStatus:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def audited_addresses(portal: Portal, path: Path, **variables: str) -> set[str | None]:
    """From where the audit log says that a download came, by somebody who names another address."""
    email = add_account(portal, "Xaver")
    cookie = f"{SESSION}={session_of(portal, email)}"
    environment = os.environ | {"DATABASE_URL": portal.database_url, "PORT": str(free_port())} | variables
    environment.pop("ESUPPORT_APP_DATABASE_URL", None)
    portal.execute(
        "INSERT INTO account_page SELECT a.id, p.id FROM account a, checkout_page p "
        "WHERE a.email = %s AND p.name = 'demo-eu'",
        email,
    )
    [[number]] = portal.execute(
        "SELECT d.id FROM order_document d JOIN orders o USING (order_id) JOIN checkout_page p "
        "ON p.id = o.checkout_page_id WHERE p.name = 'demo-eu' LIMIT 1"
    )
    with serving(environment, path) as url:
        answer = ask(
            url,
            path=f"/documents/{number}",
            Cookie=cookie,
            X_Forwarded_For="198.51.100.7, 203.0.113.9",
            X_Forwarded_Host="evil.example",
        )
        assert answer.status == 200
    return {
        address
        for [address] in portal.execute("SELECT address FROM audit_log WHERE account_email = %s", email)
        if address is not None
    }


def test_nobody_says_for_themselves_where_they_are(portal: Portal, tmp_path: Path) -> None:
    assert audited_addresses(portal, tmp_path / "log") <= {"127.0.0.1", "::1"}
    trusting = {"ESUPPORT_TRUSTED_PROXIES": "127.0.0.1, ::1"}
    assert audited_addresses(portal, tmp_path / "log2", **trusting) == {"203.0.113.9"}


@pytest.mark.parametrize("path", ["/hooks/v1/c_unknown", "/helpdesk/v1/c_unknown"])
@pytest.mark.parametrize("origin", [None, "http://evil.example"])
def test_other_programs_pass_the_gate_and_prove_themselves_at_their_own_route(
    portal: Portal, path: str, origin: str | None
) -> None:
    headers = {"Content_Type": "application/json"} | ({"Origin": origin} if origin else {})
    cookie = f"{SESSION}={session_of(portal, 'admin@demo.example')}"
    for sent in (headers, headers | {"Cookie": cookie}):  # a session proves nothing there
        answer = ask(portal.url, "POST", path, b"{}", **sent)
        assert (answer.status, answer.headers["Content-Type"]) == (404, "application/json")
    assert ask(portal.url, "POST", path.replace("/v1/", "/v2/"), b"{}", **headers).status in (404, 405)
