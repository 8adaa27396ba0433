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


class _Pages:
    """The routes of one shop; `portal` is the portal's address, for links."""

    def __init__(self, shop: Shop, portal: str) -> None:
        self._shop = shop
        self._portal = portal
        self._changes: dict[str, Callable[[int], None]] = {
            "pay": shop.pay,
            "renew": shop.renew,
            "refund": shop.refund,
            "stop": lambda order_id: shop.set_renewal(order_id, active=False),
            "resume": lambda order_id: shop.set_renewal(order_id, active=True),
        }

    def page(self, _: Request) -> Response:
        html = _environment.get_template("page.html.jinja").render(
            shop=self._shop,
            portal=self._portal,
            switches=_SWITCHES,
            is_on=lambda name: getattr(self._shop.switches, name),
            lines=list(self._shop.link.log)[:_LINES],
        )
        return HTMLResponse(html, headers={"Refresh": "3", "Cache-Control": "no-store"})

    def orders(self, _: Request) -> Response:
        return JSONResponse(self._shop.orders)

    def place_order(self, request: Request) -> Response:
        return _done(request, self._shop.place_order)

    def change_order(self, request: Request) -> Response:
        change, order_id = request.path_params["change"], request.path_params["order_id"]
        if change not in self._changes or order_id not in [o["order_id"] for o in self._shop.orders]:
            return PlainTextResponse("There is no such order, or nothing of that kind to do.", 404)
        return _done(request, lambda: self._changes[change](order_id))

    def turn_switch(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in dict(_SWITCHES):
            return PlainTextResponse("There is no such switch.", 404)
        return _done(request, lambda: self._shop.switch(name))

    async def receive(self, request: Request) -> Response:
        """An event of the portal."""
        body = await request.body()
        status = await run_in_threadpool(self._shop.receive, dict(request.headers), body)
        headers = {"Retry-After": "2"} if status == 503 else None
        return Response(json.dumps({}), status, headers=headers, media_type="application/json")


def shop_app(shop: Shop, portal: str) -> Starlette:
    """The application; `portal` is the portal's address, for links."""
    pages = _Pages(shop, portal)
    return Starlette(
        routes=[
            Route("/", pages.page),
            Route("/orders.json", pages.orders),
            Route("/orders", pages.place_order, methods=["POST"]),
            Route("/orders/{order_id:int}/{change}", pages.change_order, methods=["POST"]),
            Route("/switches/{name}", pages.turn_switch, methods=["POST"]),
            Route(EVENTS_PATH, pages.receive, methods=["POST"]),
        ]
    )


def _done(request: Request, act: Callable[[], object]) -> Response:
    """Act and show the page again; only for a form of this page, and not for one of another site."""
    origin = request.headers.get("origin")
    if origin not in (None, f"http://{request.headers.get('host')}"):
        return PlainTextResponse("Only the shop's own page may do this.", 403)
    act()
    return RedirectResponse("/", 303)
