"""The gate in front of Streamlit and of the portal's own routes: it decides which requests reach them.

Streamlit itself serves everyone: it takes any upload, gives a tab to anyone who knows its id, and returns a page's
pictures without a session. `Gate` is in front of all that; what a request may then see or do is decided behind it, by
the database.
"""

import re
from typing import Final
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.web import browser_cookies, tabs
from pages.web.browser_cookies import Cookie
from pages.web.origins import is_own_origin, is_secure
from pages.web.tab_stream import serve_tab
from services.access import Viewer
from services.authentication.sessions import viewer_of_token

SESSION_PATH: Final = "/session"
RESET_PARAMETER: Final = "reset"
RESET_MARK: Final = "1"
_STREAM: Final = "/_stcore/stream"
_UPLOADS: Final = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+")
_PICTURES: Final = "/media/"
# Requests of other machines have no Origin; the route itself authenticates them.
_MACHINES: Final = ("/hooks/", "/helpdesk/")
_CLOSED: Final = ("/_stcore/metrics", "/_stcore/agent", "/_stcore/script-health-check")
_READING: Final = ("GET", "HEAD", "OPTIONS")
_RESET_SECONDS: Final = 3600


class Gate:
    """Middleware around everything else of the web server."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            if scope["path"] == _STREAM and is_own_origin(scope):
                await serve_tab(self.app, scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            answer = await _answer(Request(scope))
            if answer is not None:
                await answer(scope, receive, send)
            else:
                await self.app(scope, receive, _deleting_the_old_cookie(scope, send))
        else:
            await self.app(scope, receive, send)


async def change_cookies(request: Request) -> Response:
    """`POST /session`: set and delete the cookies that the ticket in the body stands for (browser_cookies.py)."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > 100:
            return _refusal(413, "This is no ticket.")
    cookies = browser_cookies.redeem(body.decode("ascii", "replace"))
    if cookies is None:
        return _refusal(410, "This ticket was used already, or is too old.")
    secure, answer = (
        is_secure(request.scope),
        Response(status_code=204, headers={"Cache-Control": "no-store"}),
    )
    for cookie in cookies:
        sent = request.cookies.get(browser_cookies.name_in(cookie.name, secure), "")
        if cookie.only_if is None or not sent or browser_cookies.digest_of(sent) == cookie.only_if:
            answer.headers.append("Set-Cookie", browser_cookies.header(cookie, secure=secure))
    return answer


async def _answer(request: Request) -> Response | None:
    """The gate's own answer to a request that goes no further; None for one that does."""
    path, method = request.scope["path"], request.method
    if path.startswith(_CLOSED):
        return _refusal(404, "Not found.")
    if method not in _READING:
        return await _answer_to_change(request, path)
    if path.startswith(_PICTURES) and await _viewer(request) is None:
        return _refusal(404, "Not found.")
    token = request.query_params.get(RESET_PARAMETER)
    if token is not None and token != RESET_MARK and not path.startswith("/_stcore/"):
        return _without_the_token(request, token)
    return None


async def _answer_to_change(request: Request, path: str) -> Response | None:
    if path.startswith(_MACHINES):
        return None
    upload = _UPLOADS.fullmatch(path)
    if upload is None and (path, request.method) != (SESSION_PATH, "POST"):
        return _refusal(405, "Not here.")
    if not is_own_origin(request.scope):
        return _refusal(403, "Only the portal's own pages may do this.")
    if upload is None:
        return None
    token, viewer = browser_cookies.token_of_request(request), await _viewer(request)
    if viewer is None or not _may_upload(viewer) or not tabs.belongs(upload[1], token):
        return _refusal(403, "This account, or this page, may not upload.")
    return None


def _may_upload(viewer: Viewer) -> bool:
    """Only lists of accounts are ever uploaded, which administrators import."""
    return viewer.may_enter and viewer.may_administer


async def _viewer(connection: HTTPConnection) -> Viewer | None:
    """The viewer who sends this; None without a session, or when it has ended."""
    token = browser_cookies.token_of_request(connection)
    return await run_in_threadpool(viewer_of_token, token) if token else None


def _refusal(status: int, text: str) -> Response:
    # The connection is closed, so that an unwanted body is not read to its end.
    return PlainTextResponse(text, status, headers={"Cache-Control": "no-store", "Connection": "close"})


def _without_the_token(request: Request, token: str) -> Response:
    """Move the token of a link that sets a new password from the address, which others may see, into a cookie."""
    others = [(key, value) for key, value in request.query_params.multi_items() if key != RESET_PARAMETER]
    address = f"?{urlencode([*others, (RESET_PARAMETER, RESET_MARK)])}"
    answer = RedirectResponse(address, 303, headers={"Cache-Control": "no-store"})
    value = token if browser_cookies.is_token(token) else None
    cookie = Cookie(browser_cookies.RESET, value, _RESET_SECONDS)
    answer.headers.append("Set-Cookie", browser_cookies.header(cookie, secure=is_secure(request.scope)))
    return answer


def _deleting_the_old_cookie(scope: Scope, send: Send) -> Send:
    """Delete the cookie of version 0.1.0, which scripts can read and which opens nothing since."""
    if browser_cookies.OLD_SESSION not in Request(scope).cookies:
        return send
    deletion = f"{browser_cookies.OLD_SESSION}=; Path=/; Max-Age=0; SameSite=Strict"

    async def send_with_deletion(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).append("Set-Cookie", deletion)
        await send(message)

    return send_with_deletion
