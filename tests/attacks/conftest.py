"""A running portal and what somebody has who attacks it: HTTP, a websocket without a browser, a browser of another
person."""

import http.client
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, WebSocket
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.support import factories
from tests.support.portal import Portal


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def ask(url: str, method: str = "GET", path: str = "/", body: bytes | None = None, **headers: str) -> Answer:
    """One request, as it is said: nothing is added but the host. `X_Y` is the header X-Y."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body, headers=named)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def session_of(portal: Portal, email: str) -> str:
    """The token of a new session of that account; the environment must point at the portal's database."""
    [[account_id]] = portal.execute("SELECT id FROM account WHERE email = %s", email)
    return factories.session(account_id)


@pytest.fixture
def sessions(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Our own process works with the portal's database meanwhile."""
    from db.connections import engine

    monkeypatch.setenv("DATABASE_URL", portal.database_url)
    engine.dispose_engines()
    yield
    engine.dispose_engines()


def listen(tab: Page) -> list[str]:
    """The ids that Streamlit gives this browser's tab, as they come."""
    ids: list[str] = []

    def opened(socket: WebSocket) -> None:
        def received(payload: str | bytes) -> None:
            if isinstance(payload, bytes):
                message = ForwardMsg.FromString(payload)
                if message.WhichOneof("type") == "new_session":
                    ids.append(message.new_session.initialize.session_id)

        socket.on("framereceived", received)

    tab.on("websocket", opened)
    return ids
