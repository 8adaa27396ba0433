"""`POST /helpdesk/v1/<key>`: what a help desk shows of the customer beside a conversation."""

import logging
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db.schema.statuses import RefundStatus, status_labels
from pages.rendering.formatting import format_day
from pages.rendering.templates import render
from pages.web.hooks import BROKEN_OFF, NOT_JSON, answer_response
from pages.web.raw_body import is_json, read_raw_body
from pages.web.request import route_address
from services.connections.inbox import Answer
from services.helpdesk.customer import HelpDeskCustomer, look_up
from services.helpdesk.requests import MAX_BODY_BYTES
from services.money import format_money
from services.settings import settings
from services.time_zones import find_time_zone

log = logging.getLogger("esupport.helpdesk")
_TOO_LARGE: Final = Answer(413, None, f"A request may have {MAX_BODY_BYTES:,} bytes at most.")
_LATER: Final = Answer(503, None, "Customers cannot be looked up now. Please try again later.", 10)


async def answer_help_desk(request: Request) -> Response:
    """Read the raw body and answer with `{"html": …}`, or with the reason for a refusal."""
    try:
        body = await read_raw_body(request, MAX_BODY_BYTES)
    except ClientDisconnect:
        return answer_response(BROKEN_OFF)
    if body is None:
        return answer_response(_TOO_LARGE)
    if not is_json(request):
        return answer_response(NOT_JSON)
    return await run_in_threadpool(_answer, request, body)


def _answer(request: Request, body: bytes) -> Response:
    key, address = request.path_params["key"], route_address(request)
    try:
        customer = look_up(key, dict(request.headers), body, address=address)
    except SQLAlchemyError as error:
        log.error("A customer could not be looked up: %s", getattr(error, "orig", None) or error)
        return answer_response(_LATER)
    if isinstance(customer, Answer):
        return answer_response(customer)
    return JSONResponse({"html": help_desk_html(customer)}, headers={"Cache-Control": "no-store"})


def help_desk_html(customer: HelpDeskCustomer) -> str:
    """The customer as a fragment of plain HTML, which help desks put into a page of their own."""
    # Whoever reads it has no account here: the zone is the store's.
    zone = find_time_zone(customer.time_zone) or ZoneInfo("UTC")
    return render(
        "help_desk.html.jinja",
        customer=customer,
        order_link=lambda order_id: f"{settings().web.base_url}/?order={order_id}",
        statuses=lambda order: status_labels(order.status, order.delivered, order.refund_status),
        refund_label=lambda status: RefundStatus(status).label,
        money=format_money,
        day=lambda at: format_day(at.astimezone(zone)),
    )


HELP_DESK_ROUTES: Final = [Route("/helpdesk/v1/{key:str}", answer_help_desk, methods=["POST"])]
