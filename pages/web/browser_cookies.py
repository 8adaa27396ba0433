"""The portal's cookies in a browser, none of which a script can read.

Only a response can set such a cookie, and a Streamlit page sends none. So the page gives its own tab a ticket over the
websocket, and the tab sends it to a route (`/session`), whose response sets the cookies that the ticket stands for. A
ticket is random, works once and within a minute, and only this process knows it, by its digest.
"""

import hashlib
import re
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import HTTPConnection

from pages.web.origins import is_secure

SESSION: Final = "esupport_session"
# Marks a browser that signed in before: it opens nothing (services/authentication/sessions.py).
DEVICE: Final = "esupport_device"
RESET: Final = "esupport_reset"
NEXT: Final = "esupport_next"
# Of version 0.1.0, which a script had set.
OLD_SESSION: Final = "esupport"
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{32,100}")
_TICKET_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to set, or to delete when `value` is None.

    With `only_if` it is deleted only while its value has this digest, so that a late response to a sign-out does not
    sign out the next person.
    """

    name: str
    value: str | None
    seconds: int = 0
    path: str = "/"
    same_site: str = "Strict"
    only_if: bytes | None = None


def name_in(name: str, secure: bool) -> str:
    """The cookie's name in the browser; behind TLS it has a prefix that only this host can set, and only over TLS."""
    return f"__Host-{name}" if secure else name


def header(cookie: Cookie, *, secure: bool) -> str:
    """The value of the `Set-Cookie` header."""
    # The prefix allows one path only.
    name = name_in(cookie.name, secure and cookie.path == "/")
    parts = [f"{name}={cookie.value or ''}", f"Path={cookie.path}"]
    parts += [f"Max-Age={cookie.seconds if cookie.value else 0}", "HttpOnly", f"SameSite={cookie.same_site}"]
    return "; ".join([*parts, "Secure"] if secure else parts)


def token_in(cookies: Mapping[str, str], name: str = SESSION, *, secure: bool) -> str:
    """The token that the browser sent, or "". Only its form is checked; the database decides whether it is valid."""
    value = cookies.get(name_in(name, secure), "")
    return value if _TOKEN.fullmatch(value) else ""


def token_of_request(request: HTTPConnection) -> str:
    """The session's token that came with a request or a connection, or ""."""
    return token_in(request.cookies, secure=is_secure(request.scope))


def digest_of(value: str) -> bytes:
    """The digest for `Cookie.only_if`, computed as the database does."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()


def is_token(value: str) -> bool:
    return _TOKEN.fullmatch(value) is not None


class _Tickets:
    def __init__(self) -> None:
        self._waiting: dict[bytes, tuple[float, Sequence[Cookie]]] = {}
        self._lock = threading.Lock()

    def mint(self, cookies: Sequence[Cookie]) -> str:
        ticket = secrets.token_urlsafe(32)
        now = time.monotonic()
        with self._lock:
            self._waiting = {key: entry for key, entry in self._waiting.items() if entry[0] > now}
            self._waiting[digest_of(ticket)] = (now + _TICKET_SECONDS, tuple(cookies))
        return ticket

    def is_waiting(self, ticket: str) -> bool:
        with self._lock:
            entry = self._waiting.get(digest_of(ticket))
        return entry is not None and entry[0] > time.monotonic()

    def redeem(self, ticket: str) -> Sequence[Cookie] | None:
        with self._lock:
            entry = self._waiting.pop(digest_of(ticket), None)
        return None if entry is None or entry[0] <= time.monotonic() else entry[1]


_tickets = _Tickets()
mint, is_waiting, redeem = _tickets.mint, _tickets.is_waiting, _tickets.redeem
