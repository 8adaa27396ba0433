"""Security headers for every response, and the health checks."""

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db.connections.engine import anonymous_transaction, jobs_transaction
from services.version import VERSION, get_schema_state

# The last line of defence against a value that is not escaped: nothing is loaded from, or sent to, another address.
# Streamlit's own pages need inline styles and scripts, blobs for workers, downloads and the scripts of components, and
# WebAssembly. Only a script that already runs can make a blob. 'self' covers the page's own websocket (CSP level 3).
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "frame-src 'none'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
}


class SecurityHeaders:
    """Middleware that adds the headers above to every response that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def health(request: Request) -> PlainTextResponse:
    """`ok` while the database answers, else 503; for a proxy or a starter."""
    try:
        with anonymous_transaction() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return PlainTextResponse("The database does not answer.", status_code=503)
    return PlainTextResponse("ok", headers={"Cache-Control": "no-store"})


def ready(request: Request) -> JSONResponse:
    """`ok` when this process can serve, else 503 with the reason: the database answers, in this version's schema."""
    try:
        with anonymous_transaction() as connection:
            connection.execute(text("SELECT 1"))
        with jobs_transaction() as connection:
            schema = get_schema_state(connection)
    except SQLAlchemyError:
        return _readiness(reason="The database does not answer.")
    return _readiness(schema=schema.current, reason=schema.why_not_ready)


def _readiness(*, schema: str | None = None, reason: str | None = None) -> JSONResponse:
    answer = {"status": "unavailable" if reason else "ok", "version": VERSION, "schema": schema}
    return JSONResponse(
        answer | ({"reason": reason} if reason else {}),
        status_code=503 if reason else 200,
        headers={"Cache-Control": "no-store"},
    )
