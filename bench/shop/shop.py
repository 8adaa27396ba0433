"""The pretend shop itself: its orders, its three switches, and what it does about the portal's events."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.shop import catalogue
from bench.shop.catalogue import Document
from bench.shop.link import Link

# How long the shop thinks about an action.
ANSWER_SECONDS: Final = 1.0
REFUSAL: Final = "The pretend shop refuses everything at the moment."


@dataclass(slots=True)
class Switches:
    """What can go wrong at a shop, switched on by hand."""

    refuses: bool = False
    is_down: bool = False
    sends_doubles: bool = False


class Shop:
    """One shop with its link to the portal; its orders are kept in a file between two starts."""

    def __init__(self, store: str, link: Link, file: Path) -> None:
        self.store = store
        self.link = link
        self.switches = Switches()
        self._file = file
        self._lock = threading.Lock()
        self._seen: set[str] = set()
        self.orders: list[Document] = json.loads(file.read_text()) if file.exists() else []

    def place_order(self) -> Document:
        """A new order, sent to the portal."""
        with self._lock:
            order = catalogue.place_order(self.orders, self.store)
            self.orders.append(order)
            self._send(order)
        return order

    def pay(self, order_id: int) -> None:
        self._change(order_id, catalogue.pay)

    def refund(self, order_id: int) -> None:
        self._change(order_id, catalogue.refund)

    def renew(self, order_id: int) -> None:
        """A further order of the same subscription."""
        with self._lock:
            child = catalogue.renew(self.orders, self._order(order_id))
            self.orders.append(child)
            self._send(child)

    def set_renewal(self, order_id: int, *, active: bool) -> None:
        """Stop or resume the subscription at the shop, whatever was done in the portal."""
        with self._lock:
            subscription_id = self._order(order_id)["items"][0]["subscription"]["id"]
            self._send(*catalogue.set_renewal(self.orders, subscription_id, active=active))

    def switch(self, name: str) -> None:
        """Turn a switch over."""
        setattr(self.switches, name, not getattr(self.switches, name))
        self.link.sends_doubles = self.switches.sends_doubles

    def receive(self, headers: Mapping[str, str], body: bytes) -> int:
        """Take an event of the portal in; the status to answer with."""
        if self.switches.is_down:
            self.link.note("An event came: answered 503, since the shop is down")
            return 503
        event = self.link.read_event(headers, body)
        if event is None:
            self.link.note("An event came whose signature is wrong: answered 401")
            return 401
        message_id = headers["webhook-id"]
        with self._lock:
            if message_id in self._seen:  # at least once is what the portal promises
                self.link.note(f"{event['type']} came once more: ignored")
                return 200
            self._seen.add(message_id)
            self.link.note(f"{event['type']} came for {event['data'].get('order_name', 'no order')}")
            carry_out = _ACTIONS.get(event["type"])
            if carry_out is not None:
                self._answer(event["data"], carry_out)
        return 200

    # Any: the data of an event is JSON.
    def _answer(
        self, data: dict[str, Any], carry_out: Callable[["Shop", dict[str, Any]], str | None]
    ) -> None:
        about = str(data.get("order_name"))
        if self.switches.refuses:
            answer = {"action_id": data["action_id"], "message": REFUSAL}
            self.link.send("action.failed", answer, about, after=ANSWER_SECONDS)
            return
        code = carry_out(self, data)
        self._save()
        answer = {"action_id": data["action_id"], "external_id": f"pretend-{data['action_id'][:8]}"}
        if code is not None:
            answer["code"] = code
        self.link.send("action.succeeded", answer, about, after=ANSWER_SECONDS)

    def _change(self, order_id: int, change: Callable[[Document], None]) -> None:
        with self._lock:
            order = self._order(order_id)
            change(order)
            self._send(order)

    def _order(self, order_id: int) -> Document:
        return next(order for order in self.orders if order["order_id"] == order_id)

    def _send(self, *orders: Document) -> None:
        self._save()
        for order in orders:
            self.link.send("order.upserted", order, order["order_name"])

    def _save(self) -> None:
        self._file.write_text(json.dumps(self.orders, indent=1))


# Each returns the activation code that its answer brings, if any.
def _stop(shop: Shop, data: dict[str, Any]) -> None:
    catalogue.set_renewal(shop.orders, data["subscription_id"], active=False)


def _resume(shop: Shop, data: dict[str, Any]) -> None:
    catalogue.set_renewal(shop.orders, data["subscription_id"], active=True)


def _give_back(shop: Shop, data: dict[str, Any]) -> None:
    for order in shop.orders:
        if order["order_id"] == data["order_id"]:
            catalogue.refund(order)


def _reissue(shop: Shop, data: dict[str, Any]) -> str:
    """Put a new code in place of the one that is named; returns the new one."""
    new_code = catalogue.new_code()
    for order in shop.orders:
        if order["order_id"] == data["order_id"]:
            catalogue.replace_code(order, data["code"], new_code)
    return new_code


_ACTIONS: Final[Mapping[str, Callable[[Shop, dict[str, Any]], str | None]]] = {
    "subscription.cancel_requested": _stop,
    "subscription.resume_requested": _resume,
    "refund.approved": _give_back,
    "license.reissue": _reissue,
}
