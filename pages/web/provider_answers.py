"""Streamlit's own addresses of single sign-on, `/auth/login` and `/oauth2callback`, made safe.

Streamlit keeps the provider's answer for 30 days in cookies, with the provider's tokens, and always returns to the
first page. Here the answer lives for two minutes, long enough to open one session of the portal; the tokens reach no
browser; a followed link still leads to its page; and a failure is shown. A cookie that is not known here never passes:
if Streamlit renamed its cookies, the provider's tokens would otherwise stay in browsers unnoticed.
"""

import logging
from typing import Final
from urllib.parse import quote, unquote

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.web import browser_cookies
from pages.web.browser_cookies import Cookie
from pages.web.origins import is_secure
from pages.web.streamlit_private import CALLBACK, IDENTITY_COOKIE, LOGIN, STATE_COOKIE, TOKENS_COOKIE

log = logging.getLogger("esupport.web")

FAILED: Final = "The sign-in provider did not answer as it should. Please try again in a moment."
FAILED_PARAMETER: Final = "sign_in_failed"
LONGEST_ADDRESS: Final = 500
_IDENTITY_SECONDS: Final = 120


class ProviderAnswers:
    """Middleware around the two addresses; every other request passes unchanged."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or path not in (LOGIN, CALLBACK):
            await self.app(scope, receive, send)
            return
        request = Headers(scope=scope)

        async def send_changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                if path == CALLBACK:
                    _from_provider(message, request, secure=is_secure(scope))
                elif message["status"] >= 400:
                    _go_to(message, f"/?{FAILED_PARAMETER}=1")
            await send(message)

        await self.app(scope, receive, send_changed)


def _from_provider(message: Message, request: Headers, *, secure: bool) -> None:
    """Rewrite Streamlit's answer to the provider's: its cookies, and where it leads."""
    headers, is_answered, unknown_cookies = [], False, []
    for name, value in message["headers"]:
        if name.lower() == b"set-cookie":
            cookie = value.decode("latin-1")
            key, is_set = cookie.partition("=")[0], "max-age=0" not in cookie.lower()
            if is_set and _is_part_of(key, TOKENS_COOKIE):
                continue
            if is_set and _is_part_of(key, IDENTITY_COOKIE):
                is_answered = True
                value = _shortened(cookie, secure=secure).encode("latin-1")
            elif is_set and key != STATE_COOKIE:
                unknown_cookies.append(key)
                continue
        headers.append((name, value))
    if unknown_cookies:
        log.error(
            "Single sign-on is refused: Streamlit set cookies that the portal does not know (%s). "
            "pages/web/streamlit_private.py has to be read again.",
            ", ".join(unknown_cookies),
        )
        headers = [header for header in headers if header[0].lower() != b"set-cookie"]
    next_is_used = browser_cookies.header(Cookie(browser_cookies.NEXT, None, path=CALLBACK), secure=secure)
    message["headers"] = [*headers, (b"set-cookie", next_is_used.encode("ascii"))]
    is_good = is_answered and not unknown_cookies
    _go_to(message, _wanted(request) if is_good else f"/?{FAILED_PARAMETER}=1")


def _is_part_of(key: str, name: str) -> bool:
    """Whether the cookie `key` is the cookie `name`, or one of the numbered ones that it is split into."""
    return key == name or (key.startswith(f"{name}_") and key.removeprefix(f"{name}_").isdigit())


def _shortened(cookie: str, *, secure: bool) -> str:
    parts = [part for part in cookie.split("; ") if not part.lower().startswith("max-age=")]
    return "; ".join([*parts, f"Max-Age={_IDENTITY_SECONDS}"]) + ("; Secure" if secure else "")


def _wanted(request: Headers) -> str:
    """The page of the portal that the sign-in began at; never an address of another site."""
    address = unquote(cookie_parser(request.get("cookie", "")).get(browser_cookies.NEXT, ""))
    is_own = address.startswith("/") and address[1:2] not in ("/", "\\") and address.isprintable()
    return quote(address, safe="/?&=%") if is_own else "/"


def _go_to(message: Message, address: str) -> None:
    message["status"] = 302
    message["headers"] = [
        (name, value)
        for name, value in message["headers"]
        if name.lower() not in (b"location", b"content-length")
    ] + [(b"location", address.encode("ascii"))]
