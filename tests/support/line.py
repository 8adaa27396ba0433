"""A websocket to a web server of pages, without a browser."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect


@dataclass
class Line:
    """A websocket to the portal, and all that came over it."""

    socket: ClientConnection
    tab: str = ""
    seen: bytes = b""
    messages: list[ForwardMsg] = field(default_factory=list)

    def run(self, seconds: float = 20, *, page_name: str = "") -> "Line":
        """Asks for the page, by its name in the address, and takes what comes until it has ended.

        A run that was under way may end before.
        """
        message = BackMsg()
        message.rerun_script.query_string = ""
        message.rerun_script.page_name = page_name
        self.socket.send(message.SerializeToString())
        deadline, has_begun = time.monotonic() + seconds, False
        while (left := deadline - time.monotonic()) > 0:
            data = self.socket.recv(timeout=left)
            assert isinstance(data, bytes)
            self.seen += data
            message_in = ForwardMsg.FromString(data)
            self.messages.append(message_in)
            if message_in.WhichOneof("type") == "new_session":
                self.tab = message_in.new_session.initialize.session_id
                has_begun = True
            if has_begun and message_in.WhichOneof("type") == "script_finished":
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
