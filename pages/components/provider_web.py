"""What happens around Streamlit's own addresses of single sign-on, `/auth/login` and `/oauth2callback`.

Streamlit keeps the provider's answer for 30 days in cookies, with the provider's tokens, and always returns to the
first page. Here the answer lives for two minutes, long enough to open one session of ours; the tokens go nowhere;
whoever followed a link arrives where it led; and a failure says so.
"""

from typing import Final
from urllib.parse import quote, unquote, urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db.settings import settings

FAILED: Final = "The sign-in provider did not answer as it should. Please try again in a moment."
FAILED_PARAMETER: Final = "sign_in_failed"
_LOGIN, _CALLBACK = "/auth/login", "/oauth2callback"
_IDENTITY, _TOKENS = "_streamlit_user", "_streamlit_user_tokens"
_NEXT: Final = "esupport_next"
_IDENTITY_SECONDS: Final = 120
_LONGEST_ADDRESS: Final = 500


class ProviderAnswers:
    """Middleware around the two addresses; everything else passes untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or path not in (_LOGIN, _CALLBACK):
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope)

        async def send_changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                change = _to_provider if path == _LOGIN else _from_provider
                change(message, asked)
            await send(message)

        await self.app(scope, receive, send_changed)


def _to_provider(message: Message, asked: Headers) -> None:
    if message["status"] >= 400:
        _go_to(message, f"/?{FAILED_PARAMETER}=1")
        return
    came_from = urlsplit(asked.get("referer", ""))
    if came_from.netloc == asked.get("host") and came_from.netloc:
        wanted = came_from.path + (f"?{came_from.query}" if came_from.query else "")
        if len(wanted) <= _LONGEST_ADDRESS:
            cookie = (
                f"{_NEXT}={quote(wanted, safe='')}; Path={_CALLBACK}; Max-Age=600; HttpOnly; SameSite=Lax"
            )
            message["headers"].append((b"set-cookie", (cookie + _secure()).encode("ascii")))


def _from_provider(message: Message, asked: Headers) -> None:
    kept, is_answered = [], False
    for name, value in message["headers"]:
        if name.lower() == b"set-cookie":
            cookie = value.decode("latin-1")
            key, is_set = cookie.partition("=")[0], "max-age=0" not in cookie.lower()
            if is_set and key.startswith(_TOKENS):
                continue
            if is_set and key.startswith(_IDENTITY):
                is_answered = True
                value = _shortened(cookie).encode("latin-1")
        kept.append((name, value))
    message["headers"] = kept
    if is_answered:
        _go_to(message, _wanted(asked))
    else:
        _go_to(message, f"/?{FAILED_PARAMETER}=1")


def _shortened(cookie: str) -> str:
    parts = [part for part in cookie.split("; ") if not part.lower().startswith("max-age=")]
    return "; ".join([*parts, f"Max-Age={_IDENTITY_SECONDS}"]) + _secure()


def _wanted(asked: Headers) -> str:
    """The page of ours that somebody came from; never another site's."""
    address = unquote(cookie_parser(asked.get("cookie", "")).get(_NEXT, ""))
    is_ours = address.startswith("/") and address[1:2] not in ("/", "\\") and address.isprintable()
    return quote(address, safe="/?&=%") if is_ours else "/"


def _go_to(message: Message, address: str) -> None:
    message["status"] = 302
    message["headers"] = [
        (name, value)
        for name, value in message["headers"]
        if name.lower() not in (b"location", b"content-length")
    ] + [(b"location", address.encode("ascii"))]


def _secure() -> str:
    return "; Secure" if settings().base_url.startswith("https:") else ""
