"""A payment provider that speaks Stripe's protocol, as a process of its own on loopback, and can be told to misbehave.

What it does is what Stripe documents: form-encoded requests, errors as JSON, idempotency keys whose first answer is
repeated (a 500 too) and that refuse another request, signed webhooks. It shares no code with the portal or the library.
"""

import hashlib
import hmac
import itertools
import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

KEY: Final = "sk_test_key_of_the_tests"
WEBHOOK_SECRET: Final = "whsec_secret_of_the_tests"
HANG_SECONDS: Final = 3.0
# What the next requests for a refund meet, one each: nothing done, or the refund made and its answer lost.
HANGS, HANGS_AFTER = "hangs", "hangs after"
BREAKS, BREAKS_AFTER = "breaks", "breaks after"
ERROR, ERROR_AFTER = "500", "500 after"
TOO_MANY, SLOW, REDIRECTS = "429", "slow", "redirects"

Json = dict[str, Any]


@dataclass
class _State:
    """All that the provider knows. `lock` is not held while an answer is late."""

    payments: dict[str, Json] = field(default_factory=dict)
    refunds: dict[str, Json] = field(default_factory=dict)
    # By idempotency key: the request, and its answer once there is one.
    answers: dict[str, tuple[str, int | None, Json]] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    troubles: list[str] = field(default_factory=list)
    requests: list[Json] = field(default_factory=list)
    next_status: str = "succeeded"
    forbidden: list[str] = field(default_factory=list)
    hook: str | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    ids: Iterator[int] = field(default_factory=itertools.count)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state = _State()

    def do_GET(self) -> None:
        self._handle("GET", b"")

    def do_POST(self) -> None:
        self._handle("POST", self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    def log_message(self, *_: object) -> None:
        pass

    def _handle(self, method: str, body: bytes) -> None:
        url = urlsplit(self.path)
        parts = url.path.strip("/").split("/")
        if parts[0] == "_test":
            return self._answer(200, _control(self.state, parts[1:], json.loads(body or b"{}")))
        if parts[0] != "v1":
            return self._error(404, f"Unrecognized request URL ({method}: {url.path})")
        parameters = dict(parse_qsl(body.decode() or url.query, keep_blank_values=True))
        with self.state.lock:
            self.state.requests.append(
                {
                    "method": method,
                    "path": url.path,
                    "parameters": parameters,
                    "key": self.headers.get("Idempotency-Key"),
                    "version": self.headers.get("Stripe-Version"),
                }
            )
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            return self._error(401, "Invalid API Key provided: sk_test_****ests")
        if f"{method} {parts[1]}" in self.state.forbidden:
            return self._error(403, "The provided key does not have the required permissions.")
        if method == "POST" and parts[1:] == ["refunds"]:
            return self._refund(parameters)
        return self._read(parts[1], parts[2:], parameters)

    def _read(self, kind: str, rest: list[str], parameters: dict[str, str]) -> None:
        found: Json | None = None
        with self.state.lock:
            if kind == "refunds" and not rest:
                name = "charge" if "charge" in parameters else "payment_intent"
                data = [
                    one for one in self.state.refunds.values() if one[name] == parameters.get(name, one[name])
                ]
                found = {"object": "list", "data": data[::-1], "has_more": False, "url": "/v1/refunds"}
            elif rest:
                found = (self.state.refunds if kind == "refunds" else self.state.payments).get(rest[0])
        if found is None:
            return self._error(404, f"No such {kind[:-1]}: '{rest[:1]}'", "resource_missing")
        return self._answer(200, found)

    def _refund(self, parameters: dict[str, str]) -> None:
        key = self.headers.get("Idempotency-Key") or f"none {next(self.state.ids)}"
        with self.state.lock:
            trouble = self.state.troubles.pop(0) if self.state.troubles else ""
        if trouble == TOO_MANY:
            return self._error(429, "Too many requests", "rate_limit", {"Retry-After": "7"})
        if trouble == REDIRECTS:
            return self._answer(307, {}, {"Location": f"http://{self.headers['Host']}/v1/elsewhere"})
        if trouble in (HANGS, BREAKS):
            return self._lose(trouble)
        with self.state.lock:
            first, status, answer = self.state.answers.setdefault(key, (repr(parameters), None, {}))
            if first != repr(parameters):
                message = "Keys for idempotent requests can only be used with the same parameters."
                return self._answer(400, {"error": {"type": "idempotency_error", "message": message}})
            if status is not None:
                return self._answer(status, answer, {"Idempotent-Replayed": "true"})
            if key in self.state.running:
                return self._error(409, "There is a request with this key.", "idempotency_key_in_use")
            self.state.running.add(key)
        if trouble == SLOW:
            time.sleep(0.5)
        with self.state.lock:
            status, answer = _make_refund(self.state, parameters) if trouble != ERROR else (500, _broken())
            if trouble == ERROR_AFTER:
                status, answer = 500, _broken()
            self.state.answers[key] = (repr(parameters), status, answer)
            self.state.running.remove(key)
        if trouble in (HANGS_AFTER, BREAKS_AFTER):
            return self._lose(trouble)
        return self._answer(status, answer)

    def _lose(self, trouble: str) -> None:
        if trouble.startswith("hangs"):
            threading.Event().wait(HANG_SECONDS)
        self.close_connection = True

    def _error(
        self, status: int, message: str, code: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        error = {"type": "invalid_request_error", "message": message} | ({"code": code} if code else {})
        self._answer(status, {"error": error}, headers)

    def _answer(self, status: int, body: Json, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        all_headers = {"Request-Id": "req_1", "Content-Type": "application/json"} | (headers or {})
        all_headers["Content-Length"] = str(len(content))
        for name in all_headers:
            self.send_header(name, all_headers[name])
        self.end_headers()
        self.wfile.write(content)


def _broken() -> Json:
    return {"error": {"type": "api_error", "message": "Something went wrong on our end."}}


def _make_refund(state: _State, parameters: dict[str, str]) -> tuple[int, Json]:
    def refuse(message: str, **more: str) -> tuple[int, Json]:
        return 400, {"error": {"type": "invalid_request_error", "message": message} | more}

    reference = parameters.get("payment_intent") or parameters.get("charge", "")
    payment = state.payments.get(reference)
    if payment is None:
        return refuse(f"No such payment_intent: '{reference}'", code="resource_missing")
    live = [
        one
        for one in state.refunds.values()
        if one["of"] == payment["of"] and one["status"] not in ("failed", "canceled")
    ]
    left = payment["amount"] - sum(one["amount"] for one in live)
    amount = int(parameters.get("amount", left))
    if not left:
        return refuse(
            f"Charge {payment['charge']} has already been refunded.", code="charge_already_refunded"
        )
    if amount > left:
        return refuse(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", param="amount"
        )
    refund = {
        "id": f"re_{next(state.ids):08}",
        "object": "refund",
        "amount": amount,
        "charge": payment["charge"],
        "created": int(time.time()),
        "currency": payment["currency"],
        "metadata": {name[9:-1]: value for name, value in parameters.items() if name.startswith("metadata[")},
        "payment_intent": payment["payment_intent"],
        "of": payment["of"],
        "status": state.next_status,
    }
    if state.next_status == "failed":
        refund["failure_reason"] = "declined"
    state.refunds[refund["id"]] = refund
    return 200, refund


def _control(state: _State, parts: list[str], wish: Json) -> Json:
    with state.lock:
        if parts == ["payments"]:
            number = next(state.ids)
            ids = {"payment_intent": wish.get("payment_intent"), "charge": wish.get("charge", f"ch_{number}")}
            for name in filter(None, ids.values()):
                state.payments[name] = ids | {
                    "id": name, "of": number, "amount": wish["amount"], "currency": wish["currency"],
                    "object": "payment_intent" if name.startswith("pi_") else "charge",
                }  # fmt: skip
        elif parts == ["set"]:
            for name, value in wish.items():
                setattr(state, name, value)
        elif parts == ["forget"]:
            state.answers.clear()
        elif parts == ["change"]:
            refund = state.refunds[wish["id"]]
            refund |= wish["values"]
            return _event(state, wish["type"], refund)
        return {"refunds": list(state.refunds.values()), "requests": state.requests}


def _event(state: _State, kind: str, subject: Json) -> Json:
    """A signed event as Stripe sends it; sent to the hook if there is one."""
    body = json.dumps(
        {
            "id": f"evt_{next(state.ids):08}", "object": "event", "type": kind, "created": int(time.time()),
            "livemode": False, "api_version": "2026-10-28.endive", "data": {"object": subject},
        },
        indent=2,
    )  # fmt: skip
    signature = sign(body)
    if state.hook is not None:
        request = urllib.request.Request(
            state.hook,
            body.encode(),
            {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            response.read()
    return {"body": body, "signature": signature}


def sign(body: str, *, secret: str = WEBHOOK_SECRET, at: int | None = None) -> str:
    """The header `Stripe-Signature` of a message."""
    at = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={digest},v0=00"


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        print(server.server_address[1], flush=True)
        server.serve_forever()
