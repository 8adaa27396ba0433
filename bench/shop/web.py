"""The pretend shop's web server: a page for people, and the address that the portal sends events to."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bench.shop.shop import Shop

EVENTS_PATH: Final = "/esupport"
_SWITCHES: Final = (
    ("refuses", "Refuse actions"),
    ("is_down", "Be down"),
    ("sends_doubles", "Send everything twice"),
)
_LINES: Final = 20
_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
)


def shop_app(shop: Shop, portal: str) -> Starlette:
    """The application; `portal` is the portal's address, for links."""
    changes: dict[str, Callable[[int], None]] = {
        "pay": shop.pay,
        "renew": shop.renew,
        "refund": shop.refund,
        "stop": lambda order_id: shop.set_renewal(order_id, active=False),
        "resume": lambda order_id: shop.set_renewal(order_id, active=True),
    }

    def page(_: Request) -> Response:
        html = _environment.get_template("page.html.jinja").render(
            shop=shop,
            portal=portal,
            switches=_SWITCHES,
            is_on=lambda name: getattr(shop.switches, name),
            lines=list(shop.link.log)[:_LINES],
        )
        return HTMLResponse(html, headers={"Refresh": "3", "Cache-Control": "no-store"})

    def orders(_: Request) -> Response:
        return JSONResponse(shop.orders)

    def place_order(request: Request) -> Response:
        return _done(request, shop.place_order)

    def change_order(request: Request) -> Response:
        change, order_id = request.path_params["change"], request.path_params["order_id"]
        if change not in changes or order_id not in [order["order_id"] for order in shop.orders]:
            return PlainTextResponse("There is no such order, or nothing of that kind to do.", 404)
        return _done(request, lambda: changes[change](order_id))

    def turn_switch(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in dict(_SWITCHES):
            return PlainTextResponse("There is no such switch.", 404)
        return _done(request, lambda: shop.switch(name))

    async def receive(request: Request) -> Response:
        body = await request.body()
        status = await run_in_threadpool(shop.receive, dict(request.headers), body)
        headers = {"Retry-After": "2"} if status == 503 else None
        return Response(json.dumps({}), status, headers=headers, media_type="application/json")

    return Starlette(
        routes=[
            Route("/", page),
            Route("/orders.json", orders),
            Route("/orders", place_order, methods=["POST"]),
            Route("/orders/{order_id:int}/{change}", change_order, methods=["POST"]),
            Route("/switches/{name}", turn_switch, methods=["POST"]),
            Route(EVENTS_PATH, receive, methods=["POST"]),
        ]
    )


def _done(request: Request, act: Callable[[], object]) -> Response:
    """Act and show the page again; only for a form of this page, and not for one of another site."""
    origin = request.headers.get("origin")
    if origin not in (None, f"http://{request.headers.get('host')}"):
        return PlainTextResponse("Only the shop's own page may do this.", 403)
    act()
    return RedirectResponse("/", 303)
