"""What happens around Streamlit's own addresses of single sign-on, `/auth/login` and `/oauth2callback`.

Streamlit keeps the provider's answer for 30 days in cookies, with the provider's tokens, and always returns to the
first page. Here the answer lives for two minutes, long enough to open one session of ours; the tokens go nowhere;
whoever followed a link arrives where it led; and a failure says so.
"""

from typing import Final
from urllib.parse import quote, unquote

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.web import browser_cookies
from pages.web.browser_cookies import Cookie
from pages.web.origins import is_secure
from pages.web.streamlit_private import IDENTITY_COOKIE, TOKENS_COOKIE

FAILED: Final = "The sign-in provider did not answer as it should. Please try again in a moment."
FAILED_PARAMETER: Final = "sign_in_failed"
LONGEST_ADDRESS: Final = 500
CALLBACK: Final = "/oauth2callback"
_LOGIN: Final = "/auth/login"
_IDENTITY_SECONDS: Final = 120


class ProviderAnswers:
    """Middleware around the two addresses; everything else passes untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or path not in (_LOGIN, CALLBACK):
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope)

        async def send_changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                if path == CALLBACK:
                    _from_provider(message, asked, secure=is_secure(scope))
                elif message["status"] >= 400:
                    _go_to(message, f"/?{FAILED_PARAMETER}=1")
            await send(message)

        await self.app(scope, receive, send_changed)


def _from_provider(message: Message, asked: Headers, *, secure: bool) -> None:
    kept, is_answered = [], False
    for name, value in message["headers"]:
        if name.lower() == b"set-cookie":
            cookie = value.decode("latin-1")
            key, is_set = cookie.partition("=")[0], "max-age=0" not in cookie.lower()
            if is_set and key.startswith(TOKENS_COOKIE):
                continue
            if is_set and key.startswith(IDENTITY_COOKIE):
                is_answered = True
                value = _shortened(cookie, secure=secure).encode("latin-1")
        kept.append((name, value))
    used_up = browser_cookies.header(Cookie(browser_cookies.NEXT, None, path=CALLBACK), secure=secure)
    message["headers"] = [*kept, (b"set-cookie", used_up.encode("ascii"))]
    if is_answered:
        _go_to(message, _wanted(asked))
    else:
        _go_to(message, f"/?{FAILED_PARAMETER}=1")


def _shortened(cookie: str, *, secure: bool) -> str:
    parts = [part for part in cookie.split("; ") if not part.lower().startswith("max-age=")]
    return "; ".join([*parts, f"Max-Age={_IDENTITY_SECONDS}"]) + ("; Secure" if secure else "")


def _wanted(asked: Headers) -> str:
    """The page of ours that somebody came from; never another site's."""
    address = unquote(cookie_parser(asked.get("cookie", "")).get(browser_cookies.NEXT, ""))
    is_ours = address.startswith("/") and address[1:2] not in ("/", "\\") and address.isprintable()
    return quote(address, safe="/?&=%") if is_ours else "/"


def _go_to(message: Message, address: str) -> None:
    message["status"] = 302
    message["headers"] = [
        (name, value)
        for name, value in message["headers"]
        if name.lower() not in (b"location", b"content-length")
    ] + [(b"location", address.encode("ascii"))]
