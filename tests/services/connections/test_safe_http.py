"""The guarded HTTP client: what it speaks to, what it never does, and how long it waits. Real sockets, real TLS."""

import socket
import ssl
import time

import pytest
import trustme

from services.connections.addresses import NotAllowedAddress
from services.connections.checked_network import FORBIDDEN
from services.connections.safe_http import NotDelivered, SafeClient
from tests.services.connections.listeners import Answer, answering, certified, client, listener, post
from tests.services.connections.test_addresses import PRIVATE


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


# What it never speaks to


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:{port}/", "https://localhost:{port}/", "https://LOCALHOST.:{port}/", "https://[::1]:{port}/",
        "https://127.1:{port}/", "https://2130706433:{port}/", "https://0x7f000001:{port}/", "https://0177.0.0.1:{port}/",
        "https://0.0.0.0:{port}/", "https://[::ffff:127.0.0.1]:{port}/", "https://[::ffff:7f00:1]:{port}/",
        "https://[::]:{port}/", "https://user:secret@127.0.0.1:{port}/", "http://127.0.0.1:{port}/",
        "ftp://127.0.0.1:{port}/", "//127.0.0.1:{port}/", "https:127.0.0.1:{port}", "",
    ],
)  # fmt: skip
def test_the_own_machine_is_not_spoken_to_however_it_is_spelt(url: str) -> None:
    with listener() as own, client() as guarded:
        with pytest.raises((NotAllowedAddress, NotDelivered)):
            post(guarded, url.format(port=own.port))
        assert own.connections == 0


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_into_a_private_network_is_not_connected_to(address: str) -> None:
    with listener() as own, client(address) as guarded:
        with pytest.raises(NotAllowedAddress, match=FORBIDDEN):
            post(guarded, f"https://shop.example:{own.port}/")
        assert own.connections == 0


def test_one_private_address_among_public_ones_is_enough() -> None:
    with listener() as own, client("8.8.8.8", "127.0.0.1") as guarded:
        with pytest.raises(NotAllowedAddress):
            post(guarded, f"https://shop.example:{own.port}/")
        assert own.connections == 0


def test_a_name_that_changes_after_the_check_gains_nothing() -> None:
    """DNS rebinding: the name is looked up once for a connection, and what was checked is connected to."""
    looked_up: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        looked_up.append(host)
        # First a public address behind a translation (NAT64) that this machine has no route to.
        return ["127.0.0.1"] if len(looked_up) > 1 else ["64:ff9b::808:808"]

    with listener() as own:
        guarded = SafeClient(resolve=rebinding, seconds=0.3)
        with pytest.raises(NotDelivered):
            post(guarded, f"https://shop.example:{own.port}/")
        assert (looked_up, own.connections) == (["shop.example"], 0)
        with pytest.raises(NotAllowedAddress):
            post(guarded, f"https://shop.example:{own.port}/")
        assert own.connections == 0
        guarded.close()


def test_a_redirect_is_an_answer_and_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESUPPORT_HOOK_HOSTS", "shop.example")
    with listener() as inner:
        moved = f"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:{inner.port}/\r\nContent-Length: 0\r\n\r\n"
        with listener(answering(moved.encode())) as shop, client("127.0.0.1") as guarded:
            assert post(guarded, f"http://shop.example:{shop.port}/") == 307
        assert (shop.connections, inner.connections) == (1, 0)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESUPPORT_HOOK_HOSTS", "127.0.0.1")
    with listener() as proxy, listener() as shop, client() as guarded:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert post(guarded, f"http://127.0.0.1:{shop.port}/") == 200
        assert (proxy.connections, shop.connections) == (0, 1)


# TLS goes by the name


def test_the_checked_address_is_spoken_to_under_the_name(
    authority: trustme.CA, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESUPPORT_HOOK_HOSTS", "shop.example")
    with (
        listener(tls=certified(authority, "shop.example")) as shop,
        client("127.0.0.1", verify=trusting) as guarded,
    ):
        for _ in range(2):
            assert post(guarded, f"https://shop.example:{shop.port}/hook?a=b") == 200
        assert (shop.connections, shop.names) == (1, ["shop.example"])
        head = shop.requests[0].decode()
        assert (
            head.startswith("POST /hook?a=b HTTP/1.1\r\n") and f"Host: shop.example:{shop.port}\r\n" in head
        )


@pytest.mark.parametrize("trouble", ["another name", "unknown authority", "no TLS"])
def test_who_cannot_be_trusted_gets_nothing(
    trouble: str, authority: trustme.CA, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESUPPORT_HOOK_HOSTS", "shop.example")
    tls = certified(authority, "other.example" if trouble == "another name" else "shop.example")
    verify = None if trouble == "unknown authority" else trusting
    with (
        listener(tls=None if trouble == "no TLS" else tls) as shop,
        client("127.0.0.1", verify=verify, seconds=0.5 if trouble == "no TLS" else 5.0) as guarded,
    ):
        with pytest.raises(NotDelivered, match=r"No connection could be made|There was no answer"):
            post(guarded, f"https://shop.example:{shop.port}/")
        assert all(b"POST" not in request for request in shop.requests)


def test_an_address_that_is_silent_does_not_use_up_the_time_of_the_next(
    authority: trustme.CA, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESUPPORT_HOOK_HOSTS", "shop.example")
    with (
        listener(tls=certified(authority, "shop.example")) as shop,
        client("127.0.0.2", "127.0.0.1", verify=trusting) as guarded,
    ):
        assert post(guarded, f"https://shop.example:{shop.port}/") == 200


# An end to everything


def dripping(connection: socket.socket) -> None:
    """A byte now and then: no single read is slow."""
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000:
        connection.sendall(bytes([byte]))
        time.sleep(0.02)


def hints(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        time.sleep(0.02)


@pytest.mark.parametrize(
    "answer", [dripping, hints, lambda _: time.sleep(2)], ids=["drip", "hints", "silence"]
)
def test_an_answer_that_does_not_end_is_ended(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESUPPORT_HOOK_HOSTS", "127.0.0.1")
    with listener(answer) as shop, client(seconds=0.5) as guarded:
        began = time.monotonic()
        with pytest.raises(NotDelivered, match="There was no answer within"):
            post(guarded, f"http://127.0.0.1:{shop.port}/")
        assert time.monotonic() - began < 1.2


def test_a_handshake_or_a_look_up_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESUPPORT_HOOK_HOSTS", "127.0.0.1")
    with (
        listener(lambda _: None) as silent,
        client(seconds=0.3) as guarded,
        pytest.raises(NotDelivered, match="no answer"),
    ):
        post(guarded, f"https://127.0.0.1:{silent.port}/")

    def never(host: str, port: int) -> list[str]:
        time.sleep(3)
        return []

    slow = SafeClient(resolve=never, seconds=0.3)
    began = time.monotonic()
    with pytest.raises(NotDelivered, match="no answer"):
        post(slow, "https://shop.example/")
    assert time.monotonic() - began < 1.0
    slow.close()


def test_a_long_answer_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESUPPORT_HOOK_HOSTS", "127.0.0.1")
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 1_000_000
    with listener(answering(endless)) as shop, client() as guarded:
        answer = guarded.request("GET", f"http://127.0.0.1:{shop.port}/", {}, longest=1000)
        assert answer.status == 200 and 1000 <= len(answer.content) < 200_000


@pytest.mark.parametrize(
    "answer", [b"nonsense\r\n\r\n", b"", b"HTTP/1.1 99999 x\r\n\r\n", b"HTTP/1.1 200 OK\r\nX" * 20000]
)
def test_what_is_no_http_is_no_answer(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def say(connection: socket.socket) -> None:
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_RDWR)

    monkeypatch.setenv("ESUPPORT_HOOK_HOSTS", "127.0.0.1")
    with listener(say) as shop, client() as guarded:
        with pytest.raises(NotDelivered):
            post(guarded, f"http://127.0.0.1:{shop.port}/")
        # The next request is not confused by it.
        with pytest.raises(NotDelivered):
            post(guarded, f"http://127.0.0.1:{shop.port}/")
        assert shop.connections == 2
