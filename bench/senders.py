"""Shops that send messages, and one that takes events in, in processes of their own: their load is not the portal's."""

import http.client
import json
import multiprocessing
import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import uuid4

import uvicorn
from standardwebhooks.webhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support.ports import free_port

_PATIENCE = 30


@dataclass(frozen=True)
class Sending:
    """A connection, and the order documents that it sends one after the other."""

    key: str
    secret: str
    documents: tuple[str, ...]


@dataclass(frozen=True)
class Sent:
    """The answer to a message, and how long it took."""

    status: int
    seconds: float


def send_steadily(url: str, sendings: Sequence[Sending], *, seconds: float, every: float) -> list[Sent]:
    """The answers to everybody's messages during `seconds`: each sends one per `every` seconds."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_send_all, url, sendings, seconds, every).result(_PATIENCE + 2 * seconds)


def _send_all(url: str, sendings: Sequence[Sending], seconds: float, every: float) -> list[Sent]:
    answers: list[Sent] = []
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=_send, args=(url, sending, until, every, answers)) for sending in sendings
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _send(url: str, sending: Sending, until: float, every: float, answers: list[Sent]) -> None:
    host = urlsplit(url).netloc
    due = time.monotonic() + random.uniform(0, every)
    for document in sending.documents:
        if due >= until:
            break
        time.sleep(max(0.0, due - time.monotonic()))
        due += every
        # A shop keeps its connection open for a while, and the server closes idle ones.
        connection = http.client.HTTPConnection(host, timeout=_PATIENCE)
        body, headers = message(sending.secret, document)
        start = time.perf_counter()
        connection.request("POST", f"/hooks/v1/{sending.key}", body, headers)
        response = connection.getresponse()
        response.read()
        answers.append(Sent(response.status, time.perf_counter() - start))
        connection.close()


def message(secret: str, document: str) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of `order.upserted` with this document."""
    now, message_id = datetime.now(UTC), uuid4().hex
    body = f'{{"type": "order.upserted", "timestamp": "{now.isoformat()}", "data": {document}}}'
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, now, body),
    }
    return body.encode(), headers


@contextmanager
def receiving_shop() -> Iterator[str]:
    """The address of a shop that answers every event with 200 and looks no further at it."""
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=_receive, args=(port,), daemon=True)
    process.start()
    try:
        _wait(port)
        yield f"http://localhost:{port}/events"
    finally:
        process.terminate()
        process.join()


def _receive(port: int) -> None:
    async def receive(request: Request) -> Response:
        json.loads(await request.body())
        return Response(b"{}", media_type="application/json")

    app = Starlette(routes=[Route("/events", receive, methods=["POST"])])
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False)


def _wait(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("The receiving shop did not start.")
