"""`POST /hooks/v1/<key>`: messages of shops and providers. What each kind of connection does with one is decided in
services.

No cookie is read here and no origin asked for: a signature says who sends.
"""

import logging
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db.errors import without_values
from pages.web.raw_body import is_json, read_raw_body
from services.connections.inbox import Answer, receive
from services.connections.messages import MAX_BODY_BYTES
from services.delivery.incoming import INCOMING

log = logging.getLogger("esupport.hooks")
_TOO_LARGE: Final = Answer(413, None, f"A message may have {MAX_BODY_BYTES:,} bytes at most.")
NOT_JSON: Final = Answer(415, None, "Content-Type must be application/json.")
BROKEN_OFF: Final = Answer(400, None, "The message ended too early.")
_LATER: Final = Answer(503, None, "Messages cannot be stored now. Please send them again later.", 10)


async def receive_hook(request: Request) -> Response:
    """Read the raw body, and answer as the connection says."""
    try:
        body = await read_raw_body(request, MAX_BODY_BYTES)
    except ClientDisconnect:
        return answer_response(BROKEN_OFF)
    if body is None:
        return answer_response(_TOO_LARGE)
    if not is_json(request):
        return answer_response(NOT_JSON)
    key = request.path_params["key"]
    try:
        answer = await run_in_threadpool(receive, INCOMING, key, dict(request.headers), body)
    except SQLAlchemyError as error:
        log.error("A message could not be stored: %s", without_values(error))
        answer = _LATER
    return answer_response(answer)


def answer_response(answer: Answer) -> Response:
    """The answer as JSON with its headers; help desks are refused in the same way."""
    headers = {"Cache-Control": "no-store"}
    if answer.status == 413:
        headers["Connection"] = "close"  # what nobody wants is not read to its end
    if answer.retry_after is not None:
        headers["Retry-After"] = str(answer.retry_after)
    return JSONResponse(answer.body, answer.status, headers=headers)


HOOK_ROUTES: Final = [Route("/hooks/v1/{key:str}", receive_hook, methods=["POST"])]
