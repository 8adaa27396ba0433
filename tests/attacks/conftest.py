"""A running portal and what somebody has who attacks it: HTTP, a websocket without a browser, a browser of another
person."""

import http.client
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, WebSocket
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

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


@dataclass
class Line:
    """A websocket to the portal, and all that came over it."""

    socket: ClientConnection
    tab: str = ""
    seen: bytes = b""
    kept: list[ForwardMsg] = field(default_factory=list)

    def run(self, seconds: float = 20) -> "Line":
        """Asks for the page and takes what comes until it has ended; a run that was under way may end before."""
        message = BackMsg()
        message.rerun_script.query_string = ""
        self.socket.send(message.SerializeToString())
        deadline, has_begun = time.monotonic() + seconds, False
        while (left := deadline - time.monotonic()) > 0:
            data = self.socket.recv(timeout=left)
            assert isinstance(data, bytes)
            self.seen += data
            found = ForwardMsg.FromString(data)
            if found.WhichOneof("type") == "new_session":
                self.tab = found.new_session.initialize.session_id
                has_begun = True
            if has_begun and found.WhichOneof("type") == "script_finished":
                return self
        raise AssertionError("The page did not end.")

    def shows(self, text: str) -> bool:
        return text.encode() in self.seen


@contextmanager
def line(
    url: str,
    *,
    cookie: str | None = None,
    tab: str | None = None,
    origin: str | None = "",
    protocols: Sequence[str] = ("streamlit",),
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Line]:
    """A connection as a page makes it; with `tab`, one that asks for that tab. `origin` is the portal's by default."""
    with connect(
        f"ws{url.removeprefix('http')}/_stcore/stream",
        origin=url if origin == "" else origin,  # type: ignore[arg-type]
        subprotocols=[*protocols, *(("none", tab) if tab else ())],  # type: ignore[list-item]
        additional_headers=dict(headers) | ({"Cookie": cookie} if cookie else {}),
        max_size=None,
        proxy=None,
        ping_interval=None,
        open_timeout=20,
    ) as socket:
        yield Line(socket)


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
