"""A tab's websocket: which tab a connection may have, and which messages may come in over it."""

import logging
import secrets
import traceback
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.web import browser_cookies, tabs
from pages.web.origins import is_secure
from pages.web.streamlit_private import is_page_message
from services.authentication.sessions import viewer_of_token

log = logging.getLogger("esupport.web")

# In bytes. A sign-in needs little; signed-in people paste ten thousand order numbers.
_LONGEST_FROM_STRANGERS: Final = 128 * 1024
_LONGEST: Final = 4 * 1024 * 1024
_PROTOCOL: Final = b"sec-websocket-protocol"
_NOT_SUPPORTED, _MALFORMED, _TOO_LONG, _BROKEN, _TRY_LATER = 1003, 1002, 1009, 1011, 1013


async def serve_tab(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Hand the connection on to Streamlit, with the id of an open tab only if the tab is this browser's."""
    request = HTTPConnection(scope)
    token = browser_cookies.token_of_request(request)
    connection = secrets.token_urlsafe(16)
    address = request.client.host if request.client else None
    if not tabs.connect(
        connection,
        address,
        is_secure=is_secure(scope),
        is_stranger=not await run_in_threadpool(_is_valid, token),
    ):
        log.warning("A connection was refused: too many without a session, from %s or in all.", address)
        await send({"type": "websocket.close", "code": _TRY_LATER})
        return
    try:
        stream = _Stream(connection, receive, send)
        await app(_checked(scope, token, connection), stream.receive, send)
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        log.error("A page's connection broke: %s in %s:%s", type(error).__name__, last.filename, last.lineno)
        await _close(send, _BROKEN)
    finally:
        tabs.disconnect(connection)


class _Stream:
    """The incoming messages, checked: Streamlit would log a traceback for each that it cannot read."""

    def __init__(self, connection: str, receive: Receive, send: Send) -> None:
        self._connection, self._receive, self._send = connection, receive, send

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] != "websocket.receive":
            return message
        code, fault = self._fault(message)
        if not code:
            return message
        log.warning("A page's connection was closed: it sent %s.", fault)
        await _close(self._send, code)
        return {"type": "websocket.disconnect", "code": code}

    def _fault(self, message: Message) -> tuple[int, str]:
        """The close code for a message that is refused, and what it is; 0 for one that is fine."""
        data = message.get("bytes")
        if data is None:
            return _NOT_SUPPORTED, "text"
        longest = _LONGEST_FROM_STRANGERS if tabs.is_stranger(self._connection) else _LONGEST
        if len(data) > longest:
            return _TOO_LONG, f"{len(data)} bytes at once"
        if not is_page_message(data):
            return _MALFORMED, "what is no message of a page"
        return 0, ""


def _is_valid(token: str) -> bool:
    try:
        return bool(token) and viewer_of_token(token) is not None
    except SQLAlchemyError:
        return False


def _checked(scope: Scope, token: str, connection: str) -> Scope:
    """The request with the connection's own id, and without the id of a tab that is not its browser's."""
    own_header = tabs.CONNECTION_HEADER.lower().encode("ascii")
    headers: list[tuple[bytes, bytes]] = [
        pair for pair in scope["headers"] if pair[0] not in (own_header, _PROTOCOL)
    ]
    headers.append((own_header, connection.encode("ascii")))
    entries = [part.strip() for part in Headers(scope=scope).get("sec-websocket-protocol", "").split(",")]
    if len(entries) > 2 and not tabs.belongs(entries[2], token):
        entries = entries[:2]
    if any(entries):
        headers.append((_PROTOCOL, ", ".join(entries[:3]).encode("latin-1")))
    changed: dict[str, Any] = dict(scope) | {"headers": headers}
    return changed


async def _close(send: Send, code: int) -> None:
    try:
        await send({"type": "websocket.close", "code": code})
    except Exception:
        log.debug("The connection was closed already.")
