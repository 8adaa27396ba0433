"""`POST /helpdesk/v1/<key>`: what a help desk shows of the customer beside a conversation."""

from typing import Final
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db.schema.statuses import RefundStatus, status_labels
from pages.rendering.formatting import format_day
from pages.rendering.templates import render
from pages.web.raw_body import is_json, read_raw_body
from pages.web.request import route_address
from services.connections.inbox import Answer
from services.helpdesk.customer import HelpDeskCustomer, look_up
from services.helpdesk.requests import MAX_BODY_BYTES
from services.money import format_money
from services.settings import settings
from services.time_zones import find_time_zone

_TOO_LARGE: Final = Answer(413, None, f"A request may have {MAX_BODY_BYTES:,} bytes at most.")
_NOT_JSON: Final = Answer(415, None, "Content-Type must be application/json.")


async def answer_help_desk(request: Request) -> Response:
    """Read the raw body and answer with `{"html": …}`, or with the reason for a refusal."""
    body = await read_raw_body(request, MAX_BODY_BYTES)
    if body is None:
        return _refusal(_TOO_LARGE)
    if not is_json(request):
        return _refusal(_NOT_JSON)
    return await run_in_threadpool(_answer, request, body)


def _answer(request: Request, body: bytes) -> Response:
    customer = look_up(
        request.path_params["key"], dict(request.headers), body, address=route_address(request)
    )
    if isinstance(customer, Answer):
        return _refusal(customer)
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


def _refusal(answer: Answer) -> Response:
    headers = {"Cache-Control": "no-store"}
    if answer.status == 413:
        headers["Connection"] = "close"  # what nobody wants is not read to its end
    if answer.status == 429:
        headers["Retry-After"] = "10"
    return JSONResponse(answer.body, answer.status, headers=headers)


HELP_DESK_ROUTES: Final = [Route("/helpdesk/v1/{key:str}", answer_help_desk, methods=["POST"])]
