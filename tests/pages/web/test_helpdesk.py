"""The route of help desks, over real sockets and behind the gate: statuses, limits, and HTML that runs nothing."""

import re
import socket
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from pages.web.gate import Gate
from pages.web.helpdesk import HELP_DESK_ROUTES
from services.helpdesk.requests import MAX_BODY_BYTES
from tests.services.helpdesk.support import body_of, help_desk, signed
from tests.support import factories
from tests.support.factories import document, item
from tests.support.served_app import RawAnswer, post, served_app

HOSTILE = "<script>alert(1)</script>\"'&{{ 7*7 }}"


@pytest.fixture(scope="module")
def port(database: str) -> Iterator[int]:
    factories.take_in(
        document(order_id=1, customer={"email": "ines@example.com", "first_name": "Inês"}),
        document(
            order_id=2,
            order_name=HOSTILE,
            customer={"email": "evil@example.com", "first_name": HOSTILE, "company_name": HOSTILE},
            items=[item(name=HOSTILE, activation_codes=[{"code": "SECRET-CODE"}],
                        subscription={"id": "S", "type": "AR", "status": "active"})],
        ),
    )  # fmt: skip
    with served_app(Starlette(routes=list(HELP_DESK_ROUTES), middleware=[Middleware(Gate)])) as port:
        yield port


@pytest.fixture(scope="module")
def key(port: int) -> str:
    return help_desk("shop-a")[1]


def ask(port: int, key: str, email: str) -> RawAnswer:
    body = body_of(email=email)
    return post(port, f"/helpdesk/v1/{key}", body, signed(body))


class Elements(HTMLParser):
    """The tags of a fragment, and the addresses of its links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]


def test_a_customer_is_shown_with_links_into_the_portal(
    port: int, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESUPPORT_BASE_URL", "https://support.example.com")
    answer = ask(port, key, "INES@example.com")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert list(answer.json()) == ["html"]
    html = answer.json()["html"]
    words = " ".join(re.sub(r"<[^>]*>", " ", html).split())
    assert words == "Inês 1 order , EUR 10.00 paid A0000000001 1 Mar 2026, EUR 10.00 Paid, Delivered".replace(
        " ,", ","
    )
    assert Elements(html).links == ["https://support.example.com/?order=1"]


def test_nobody_is_a_friendly_sentence(port: int, key: str) -> None:
    for email in ("nobody@example.com", ""):
        answer = ask(port, key, email)
        assert answer.status == 200
        assert answer.json()["html"].strip() == "<p>No order of this store has the customer's e-mail.</p>"


def test_everything_is_escaped_and_no_code_is_shown(port: int, key: str) -> None:
    html = ask(port, key, "evil@example.com").json()["html"]
    found = Elements(html)
    assert found.tags == {"h4", "bdi", "p", "ul", "li", "a", "br", "strong"}
    assert found.attributes == {"href", "target", "rel"}
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 5
    assert "49" not in html and "SECRET-CODE" not in html


@pytest.mark.parametrize("header", ["X-FREESCOUT-SIGNATURE", "X-HELPSCOUT-SIGNATURE"])
def test_both_programs_are_answered(port: int, key: str, header: str) -> None:
    body = body_of(email="ines@example.com")
    assert post(port, f"/helpdesk/v1/{key}", body, signed(body, header=header)).status == 200


def test_a_wrong_signature_and_an_unknown_address_are_told_nothing(port: int, key: str) -> None:
    body = body_of(email="ines@example.com")
    wrong = post(port, f"/helpdesk/v1/{key}", body, signed(body, "another"))
    assert (wrong.status, wrong.json()) == (401, {"field": None, "message": "The signature is wrong."})
    none = post(port, f"/helpdesk/v1/{key}", body, {"Content-Type": "application/json"})
    assert (none.status, none.body) == (401, wrong.body)
    webhooks = help_desk("shop-a", kind="webhooks")[1]
    unknown = [
        post(port, f"/helpdesk/v1/{address}", body, signed(body)) for address in ("c_x", webhooks, key[:-1])
    ]
    assert {answer.status for answer in unknown} == {404}
    assert {answer.body for answer in unknown} == {b'{"field":null,"message":"There is no such address."}'}


@pytest.mark.parametrize(
    ("body", "media_type", "status", "field"),
    [
        (b"x" * (MAX_BODY_BYTES + 1), "application/json", 413, None),
        (b"{}", "text/plain", 415, None),
        (b"{}", "application/x-www-form-urlencoded", 415, None),
        (b"[" * MAX_BODY_BYTES, "application/json", 422, None),
        (b'{"customer": 7}', "application/json; charset=utf-8", 422, "customer"),
        (b'{"customer": {"email": [7]}}', "application/json", 422, "customer.email"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    port: int, key: str, body: bytes, media_type: str, status: int, field: str | None
) -> None:
    answer = post(port, f"/helpdesk/v1/{key}", body, signed(body) | {"Content-Type": media_type})
    assert (answer.status, answer.json()["field"]) == (status, field)
    assert answer.json()["message"]


def test_a_body_without_a_length_is_not_read_beyond_the_limit(port: int, key: str) -> None:
    """In chunks that go on until the server has had enough."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(
            f"POST /helpdesk/v1/{key} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )
        answer = b""
        chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
        try:
            for _ in range(1000):
                client.sendall(chunk)
        except OSError:
            pass  # it has hung up
        else:
            pytest.fail("16 MB were taken.")
        try:
            answer = client.recv(100)
        except OSError:
            return
    assert b" 413 " in answer


def test_another_method_is_not_allowed(port: int, key: str) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(f"GET /helpdesk/v1/{key} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert b" 405 " in client.recv(100)
