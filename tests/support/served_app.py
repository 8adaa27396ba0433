"""A web application on a port of its own, for requests that no test client would send."""

import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import uvicorn
from starlette.types import ASGIApp

from tests.support.ports import free_port


class RawAnswer(NamedTuple):
    """A status, headers in lower case, and the bytes of the body."""

    status: int
    headers: dict[str, str]
    body: bytes

    # Any: a value of JSON.
    def json(self) -> Any:
        return json.loads(self.body)


@contextmanager
def served_app(app: ASGIApp) -> Iterator[int]:
    """Serve the application in a thread of this process; yields the port."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < deadline and thread.is_alive(), "The server did not start."
            time.sleep(0.01)
        yield port
    finally:
        server.should_exit = True
        thread.join(20)


def post(port: int, path: str, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
    """One request on a connection of its own, with exactly these headers beside Host and Content-Length."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("POST", path, body=body, headers=dict(headers))
        response = connection.getresponse()
        return RawAnswer(
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            response.read(),
        )
    finally:
        connection.close()
