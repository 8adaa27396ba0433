"""What the web server makes of a request before anybody sees it: who sends it, from which site, with which cookie.

What it refuses in a running portal is in tests/attacks.
"""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Scope

from pages.web import browser_cookies, tabs
from pages.web.browser_cookies import SESSION, Cookie
from pages.web.origins import is_own_origin
from pages.web.proxies import _with_client

TOKEN = "t" * 43


def scope(
    *headers: tuple[str, str], client: str = "127.0.0.1", kind: str = "http", scheme: str = "http"
) -> Scope:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return {"type": kind, "client": (client, 1), "scheme": scheme, "headers": raw}


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client"),
    [
        ("", "127.0.0.1", ["203.0.113.9"], "127.0.0.1"),
        ("", "::1", ["203.0.113.9"], "::1"),
        ("127.0.0.1", "127.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", "192.0.2.1", ["203.0.113.9"], "192.0.2.1"),
        ("127.0.0.1", "127.0.0.1", ["198.51.100.7, 203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", "127.0.0.1", ["198.51.100.7", "203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1, 10.0.0.0/8", "127.0.0.1", ["198.51.100.7, 203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        ("127.0.0.1,10.0.0.0/8", "127.0.0.1", ["10.1.2.3"], "10.1.2.3"),
        ("127.0.0.1", "127.0.0.1", ["198.51.100.7, nonsense"], "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1", ["198.51.100.7, "], "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("127.0.0.1", "127.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("127.0.0.1", "127.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
        ("127.0.0.1", "::ffff:127.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("::1 fd00::/8", "::1", ["2001:db8::1, fd00::7"], "2001:db8::1"),
    ],
)
def test_a_client_is_what_a_named_proxy_says(
    monkeypatch: pytest.MonkeyPatch, trusted: str, peer: str, forwarded: list[str], client: str
) -> None:
    monkeypatch.setenv("ESUPPORT_TRUSTED_PROXIES", trusted)
    asked = scope(("Host", "a"), *(("X-Forwarded-For", line) for line in forwarded), client=peer)
    answered = _with_client(asked)
    assert answered["client"][0] == client
    assert [name for name, _ in answered["headers"]] == [b"host"], "nothing behind can believe a stranger"


@pytest.mark.parametrize(("peer", "is_believed"), [("127.0.0.1", True), ("192.0.2.1", False)])
def test_scheme_and_host_are_a_named_proxys_as_well(
    monkeypatch: pytest.MonkeyPatch, peer: str, is_believed: bool
) -> None:
    monkeypatch.setenv("ESUPPORT_TRUSTED_PROXIES", "127.0.0.1")
    said = (
        ("Host", "inner:8501"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "support.example.com"),
    )
    for kind, plain, tls in (("http", "http", "https"), ("websocket", "ws", "wss")):
        answered = _with_client(scope(*said, client=peer, kind=kind, scheme=plain))
        assert answered["scheme"] == (tls if is_believed else plain)
        assert dict(answered["headers"])[b"host"] == (
            b"support.example.com" if is_believed else b"inner:8501"
        )


@pytest.mark.parametrize(
    ("host", "origin", "scheme", "base", "is_own"),
    [
        ("localhost:8501", "http://localhost:8501", "http", "", True),
        ("127.0.0.1:8501", "http://127.0.0.1:8501", "http", "", True),
        ("[::1]:8501", "http://[::1]:8501", "http", "", True),
        ("LOCALHOST:8501", "http://localhost:8501", "http", "", True),
        ("support.example.com", "https://support.example.com", "https", "", True),
        ("support.example.com:443", "https://support.example.com", "https", "", True),
        # TLS ends at a proxy that nobody named.
        ("support.example.com", "https://support.example.com", "http", "", True),
        ("inner:8501", "https://support.example.com", "http", "https://support.example.com", True),
        ("localhost:8501", "http://localhost:8502", "http", "", False),
        ("localhost:8501", "http://localhost", "http", "", False),
        ("localhost:8501", "http://127.0.0.1:8501", "http", "", False),
        ("support.example.com", "http://support.example.com", "https", "", False),
        ("support.example.com", "http://support.example.com", "http", "https://support.example.com", False),
        ("support.example.com", "https://support.example.com.evil.example", "https", "", False),
        ("support.example.com", "https://support.example.com@evil.example", "https", "", False),
        ("localhost:8501", "null", "http", "", False),
        ("localhost:8501", "", "http", "", False),
        ("localhost:8501", "file://", "http", "", False),
        ("localhost:8501", "http://[", "http", "", False),
        ("localhost:8501", "http://localhost:8501, http://evil.example", "http", "", False),
    ],
)
def test_the_origin_must_be_the_host(
    monkeypatch: pytest.MonkeyPatch, host: str, origin: str, scheme: str, base: str, is_own: bool
) -> None:
    monkeypatch.setenv("ESUPPORT_BASE_URL", base)
    monkeypatch.setenv("PORT", "9999")
    assert is_own_origin(scope(("Host", host), ("Origin", origin), scheme=scheme)) is is_own


@pytest.mark.parametrize("left_out", ["Host", "Origin"])
def test_without_either_or_with_two_it_is_nobodys(left_out: str) -> None:
    both = [("Host", "localhost:8501"), ("Origin", "http://localhost:8501")]
    assert is_own_origin(scope(*both))
    assert not is_own_origin(scope(*(pair for pair in both if pair[0] != left_out)))
    assert not is_own_origin(scope(*both, (left_out, "http://localhost:8501")))


def test_a_cookie_behind_tls_is_bound_to_its_host() -> None:
    lines = {
        secure: browser_cookies.header(Cookie(SESSION, TOKEN, 60), secure=secure) for secure in (False, True)
    }
    assert lines == {
        False: f"esupport_session={TOKEN}; Path=/; Max-Age=60; HttpOnly; SameSite=Strict",
        True: f"__Host-esupport_session={TOKEN}; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure",
    }
    deleted = browser_cookies.header(Cookie(SESSION, None), secure=True)
    assert deleted == "__Host-esupport_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure"


def test_behind_tls_no_other_cookie_counts() -> None:
    plain, tls = {"esupport_session": TOKEN}, {"__Host-esupport_session": TOKEN}
    assert (
        browser_cookies.token_in(plain, secure=False) == browser_cookies.token_in(tls, secure=True) == TOKEN
    )
    assert browser_cookies.token_in(plain, secure=True) == browser_cookies.token_in(tls, secure=False) == ""


@given(st.one_of(st.text(), st.text(alphabet="abcXYZ019-_.", min_size=20, max_size=120)))
def test_what_is_no_token_is_none(value: str) -> None:
    token = browser_cookies.token_in({"esupport_session": value}, secure=False)
    assert token in ("", value)
    assert token == "" or (32 <= len(token) <= 100 and token.isascii())


def test_a_ticket_works_once_and_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    cookies = (Cookie(SESSION, TOKEN, 60),)
    ticket, late = browser_cookies.mint(cookies), browser_cookies.mint(cookies)
    assert browser_cookies.is_waiting(ticket)
    assert browser_cookies.redeem(ticket + "x") is None
    assert browser_cookies.redeem(ticket) == cookies
    assert browser_cookies.redeem(ticket) is None
    assert not browser_cookies.is_waiting(ticket)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    assert not browser_cookies.is_waiting(late)
    assert browser_cookies.redeem(late) is None


def test_a_tab_is_its_sessions_and_nobody_elses() -> None:
    assert not tabs.belongs("tab", TOKEN)
    tabs.bind("tab", TOKEN, None)
    assert tabs.belongs("tab", TOKEN)
    for other in ("", "x" * 43):
        assert not tabs.belongs("tab", other)
    assert not tabs.belongs("another tab", TOKEN)
    tabs.release("tab")
    assert not tabs.belongs("tab", TOKEN)


def test_strangers_are_counted_and_those_who_signed_in_are_not() -> None:
    limit = tabs.MOST_STRANGERS_OF_ONE
    made = [f"c{number}" for number in range(limit + 2)]

    def connect(connection: str, address: str, *, is_stranger: bool = True) -> bool:
        return tabs.connect(connection, address, is_secure=False, is_stranger=is_stranger)

    try:
        # One household has 2^64 addresses.
        assert all(connect(name, f"2001:db8::{number:x}") for number, name in enumerate(made[:limit]))
        assert not connect(made[limit], "2001:db8::ffff")
        assert connect("elsewhere", "2001:db8:0:1::1")
        assert connect("cookie", "2001:db8::ffff", is_stranger=False)
        tabs.bind("tab", TOKEN, made[0])
        assert not tabs.is_stranger(made[0])
        assert connect(made[limit], "2001:db8::ffff")
        tabs.disconnect(made[1])
        assert connect(made[limit + 1], "2001:db8::ffff")
    finally:
        for name in (*made, "elsewhere", "cookie"):
            tabs.disconnect(name)
        tabs.release("tab")
    assert tabs.is_stranger(made[5]), "a connection that is not known is a stranger's"
