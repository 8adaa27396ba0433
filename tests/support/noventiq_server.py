"""A small Noventiq as a process of its own: `python -m tests.support.noventiq_server PORT`.

Speaks the vendor's API over HTTP and sends webhooks signed by the vendor's rule, which is written here a second time.
What it does beyond, to please tests, is under `/control/`: what it knows, what goes wrong next, and what it was asked.
"""

import hashlib
import json
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# Any: JSON as tests write it.
Json = dict[str, Any]

TOKEN_ERRORS = {
    1007: "Your token is invalid.",
    1008: "Missing token.",
    1009: "Your token is expired.",
}


class Refusal(Exception):
    """An HTTP status with the vendor's form of an error."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"errors": [{"error": code, "message": message}]}


class Vendor:
    """What the vendor knows, and what happens to it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.username, self.password = "merchant", "1234"
        self.token_seconds = 86400.0
        self.tokens: dict[str, float] = {}
        self.orders: dict[int, Json] = {}
        self.subscriptions: dict[str, Json] = {}
        self.open_refunds: set[int] = set()
        self.hook_url, self.secret = "", "secret_key"
        # What happens to the next calls: {"path": part of it, "status", "headers", "delay"}; with "lost" it acts first
        # and never answers.
        self.faults: list[Json] = []
        self.calls: list[Json] = []

    def log_in(self, body: Json) -> Json:
        if (body.get("username"), body.get("password")) != (self.username, self.password):
            raise Refusal(401, 1001, "Bad credentials.")
        token = f"token-{len(self.tokens) + 1}"
        self.tokens[token] = time.monotonic() + self.token_seconds
        return {"token": token, "refresh_token": "4e283bb7620068c42d6"}

    def check_token(self, header: str | None) -> None:
        if not header:
            raise Refusal(401, 1008, TOKEN_ERRORS[1008])
        until = self.tokens.get(header.removeprefix("Bearer "))
        if until is None:
            raise Refusal(401, 1007, TOKEN_ERRORS[1007])
        if time.monotonic() > until:
            raise Refusal(401, 1009, TOKEN_ERRORS[1009])

    def order(self, order_id: int) -> Json:
        if order_id not in self.orders:
            raise Refusal(404, 2001, "Order not found.")
        return self.orders[order_id]

    def subscription(self, subscription_id: str) -> Json:
        if subscription_id not in self.subscriptions:
            raise Refusal(404, 3001, "Subscription not found.")
        return {"id": subscription_id} | self.subscriptions[subscription_id]

    def request_refund(self, order_id: int, body: Json) -> Json:
        order = self.order(order_id)
        description, email = body.get("description", ""), body.get("email", "")
        if not 0 < len(email) <= 80 or len(description) > 500:
            raise Refusal(400, 2002, "The request is not valid.")
        if order["status"] != "paid" or order_id in self.open_refunds:
            raise Refusal(400, 2003, "A refund cannot be requested.")
        self.open_refunds.add(order_id)
        return {}

    def modify_activity(self, body: Json) -> Json:
        subscription = self.subscriptions.get(body["id"])
        if subscription is None:
            raise Refusal(404, 3001, "Subscription not found.")
        is_on = subscription["status"] != "cancelled"
        if body["activity"] == is_on or (body["activity"] and subscription["type"] != "AR"):
            raise Refusal(400, 3002, "The activity cannot be changed.")
        subscription["status"] = "active" if body["activity"] else "cancelled"
        return {}

    def message(self, order_id: int, index: int, event: str, changes: Json) -> Json:
        """The webhook about a product of an order."""
        order = self.orders[order_id]
        product = {key: value for key, value in order["products"][index].items() if key != "subscription"}
        message = {key: value for key, value in order.items() if key != "products"} | {
            "event": event,
            "event_date": order["create_date"],
            "product": product,
            "document_part": f"{index + 1}-of-{len(order['products'])}",
        }
        if subscription := order["products"][index].get("subscription"):
            message["subscription"] = {"id": subscription["id"]}
        return message | changes

    def send_hook(self, message: Json) -> int:
        signature = hashlib.sha512(
            ";".join(
                (
                    *(self.secret, message["event"], str(message["order_id"]), message["create_date"]),
                    *(
                        message["payment"]["payment_method"],
                        message["currency"],
                        message["customer"]["email"],
                    ),
                )
            ).encode()
        ).hexdigest()
        request = urllib.request.Request(
            self.hook_url,
            json.dumps(message).encode(),
            {"Content-Type": "application/json", "signature": signature},
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return int(response.status)
        except urllib.error.HTTPError as answer:
            return int(answer.code)


VENDOR = Vendor()


class Handler(BaseHTTPRequestHandler):
    """The vendor's API, and the control of tests."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        self._answer(json.loads(self.rfile.read(size) or b"{}"))

    def log_message(self, *_: object) -> None:
        """Tests read `calls`."""

    def _answer(self, body: Json) -> None:
        if self.path.startswith("/control/"):
            self._send(200, _control(self.path.removeprefix("/control/"), body))
            return
        with VENDOR.lock:
            VENDOR.calls.append({"method": self.command, "path": self.path, "body": body})
            fault = next((fault for fault in VENDOR.faults if fault["path"] in self.path), None)
            if fault is not None:
                VENDOR.faults.remove(fault)
        if fault is not None and not fault.get("lost"):
            time.sleep(fault.get("delay", 0))
            self._send(fault["status"], fault.get("body", {}), fault.get("headers", {}))
            return
        try:
            with VENDOR.lock:
                status, answer = 200, self._act(body)
        except Refusal as refusal:
            status, answer = refusal.status, refusal.body
        if fault is not None:
            time.sleep(fault.get("delay", 0))
            self.close_connection = True
            self.connection.close()
            return
        self._send(status, answer)

    def _act(self, body: Json) -> Json:
        if self.path == "/v1/login_check":
            return VENDOR.log_in(body)
        VENDOR.check_token(self.headers.get("AuthorizationJWT"))
        parts = self.path.strip("/").split("/")
        match self.command, parts:
            case "GET", ["v1", "order", order_id]:
                return VENDOR.order(int(order_id))
            case "POST", ["v1", "order", order_id, "refund"]:
                return VENDOR.request_refund(int(order_id), body)
            case "POST", ["v1", "subscription", "modify_activity"]:
                return VENDOR.modify_activity(body)
            case "GET", ["v1", "subscription", subscription_id]:
                return VENDOR.subscription(subscription_id)
        raise Refusal(404, 1, "No such address.")

    def _send(self, status: int, body: Json, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _control(command: str, body: Json) -> Json:
    with VENDOR.lock:
        match command:
            case "reset":
                tokens = VENDOR.tokens
                VENDOR.__init__()  # type: ignore[misc]  # everything as at the start
                VENDOR.tokens = tokens  # those who logged in before still are
            case "set":
                for name, value in body.items():
                    setattr(VENDOR, name, value)
            case "order":
                VENDOR.orders[body["order_id"]] = body
                for product in body["products"]:
                    if subscription := product.get("subscription"):
                        details = {key: value for key, value in subscription.items() if key != "id"}
                        VENDOR.subscriptions.setdefault(subscription["id"], details)
            case "fault":
                VENDOR.faults.append(body)
            case "expire_tokens":
                VENDOR.tokens = dict.fromkeys(VENDOR.tokens, 0.0)
            case "state":
                return {
                    "calls": VENDOR.calls,
                    "open_refunds": sorted(VENDOR.open_refunds),
                    "subscriptions": VENDOR.subscriptions,
                }
        if command != "hook":
            return {}
        message = VENDOR.message(body["order_id"], body["index"], body["event"], body["changes"])
    return {"status": VENDOR.send_hook(message)}


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    server.daemon_threads = True
    print("ready", flush=True)
    server.serve_forever(0.05)
