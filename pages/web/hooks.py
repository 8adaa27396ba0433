"""`POST /hooks/v1/<key>`: messages of shops. What each kind of connection does with one is decided in services."""

from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.connections.inbox import Answer, receive
from services.connections.messages import MAX_BODY_BYTES

_TOO_LARGE: Final = Answer(413, None, f"A message may have {MAX_BODY_BYTES:,} bytes at most.")
_NOT_JSON: Final = Answer(415, None, "Content-Type must be application/json.")


async def receive_hook(request: Request) -> Response:
    """Read the raw body, and answer as the connection says."""
    body = await _body(request)
    if body is None:
        return _response(_TOO_LARGE)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return _response(_NOT_JSON)
    return _response(
        await run_in_threadpool(receive, request.path_params["key"], dict(request.headers), body)
    )


async def _body(request: Request) -> bytes | None:
    """The whole body; None as soon as it is known to be too large."""
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > MAX_BODY_BYTES:
        return None
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _response(answer: Answer) -> Response:
    headers = {"Cache-Control": "no-store"}
    if answer.status == 413:
        headers["Connection"] = "close"  # what nobody wants is not read to its end
    if answer.status == 429:
        headers["Retry-After"] = "10"
    return JSONResponse(answer.body, answer.status, headers=headers)


HOOK_ROUTES: Final = [Route("/hooks/v1/{key:str}", receive_hook, methods=["POST"])]
