"""What the routes beside the pages have in common: who asks, and the answers that they give."""

from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from pages.web.browser_cookies import token_of_request
from services.access import Viewer
from services.authentication.sessions import viewer_of_token
from services.orders.documents import Document
from services.text.file_names import saved_name

PRIVATE: Final = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "Cross-Origin-Resource-Policy": "same-origin",
}
NOTHING_RUNS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
}
MEDIA_TYPES: Final = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def find_viewer(request: Request) -> Viewer | None:
    token = token_of_request(request)
    viewer = viewer_of_token(token) if token else None
    return None if viewer is None or not viewer.may_enter else viewer


def attachment(name: str) -> str:
    name = saved_name(name)
    ascii_name = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in name)
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}"


def nothing() -> Response:
    return PlainTextResponse(
        "There is nothing here that you can see. Are you signed in?", 404, headers=PRIVATE
    )


def file_answer(document: Document) -> Response:
    headers = {"Content-Disposition": attachment(document.name)} | PRIVATE | NOTHING_RUNS
    # The type comes from the shop: sent as a plain file unless browsers only display it.
    media_type = (
        document.media_type if document.media_type == "application/pdf" else "application/octet-stream"
    )
    return Response(document.content, media_type=media_type, headers=headers)


def export_headers(name: str, ending: str) -> dict[str, str]:
    headers = {
        "Content-Type": MEDIA_TYPES[ending],
        "Content-Disposition": attachment(f"{name}.{ending}"),
        # Streamlit would compress it, as hard as it can, while the pages wait. A proxy does that better
        # (docs/nginx.conf).
        "Content-Encoding": "identity",
    }
    return headers | PRIVATE | NOTHING_RUNS
