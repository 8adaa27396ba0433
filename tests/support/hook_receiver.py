"""A shop that takes events: an HTTP server in a process of its own, `python -m tests.support.hook_receiver [PORT]`.

It remembers what arrived, and answers each path as it was told to (`/_test/…`), in turn; 204 when it was told nothing.
Prints its port. tests/support/hook_control.py speaks to it.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

Json = dict[str, Any]  # bodies and wishes, of any form


class Memory:
    """What arrived and what is to be answered, shared by the threads of the server."""

    def __init__(self) -> None:
        self.lock: Final = threading.Lock()
        self.arrived: Final[list[Json]] = []
        self.answers: Final[dict[str, list[Json]]] = {}
        self.by_default: Final[dict[str, Json]] = {}

    def next_answer(self, path: str) -> Json:
        with self.lock:
            waiting = self.answers.get(path)
            return waiting.pop(0) if waiting else self.by_default.get(path, {})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    memory: Memory

    def do_POST(self) -> None:
        at = time.time()
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length)
        if len(body) < length:  # the sender died in the middle
            self.close_connection = True
            return
        if self.path.startswith("/_test/"):
            self._obey(self.path.removeprefix("/_test/"), json.loads(body or b"{}"))
            return
        answer = self.memory.next_answer(self.path)
        with self.memory.lock:
            self.memory.arrived.append(
                {
                    "at": at,
                    "path": self.path,
                    "headers": {name.lower(): value for name, value in self.headers.items()},
                    "body": body.decode(),
                    "from": self.client_address[1],
                }
            )
        time.sleep(answer.get("delay", 0.0))
        self._send(answer.get("status", 204), answer.get("headers", {}), answer.get("body", "").encode())

    def _obey(self, wish: str, values: Json) -> None:
        memory, answer = self.memory, []
        with memory.lock:
            if wish == "answers":
                memory.answers[values["path"]] = values["answers"]
            elif wish == "always":
                memory.by_default[values["path"]] = values["answer"]
            elif wish == "arrived":
                answer = list(memory.arrived)
            elif wish == "forget":
                for collection in (memory.arrived, memory.answers, memory.by_default):
                    collection.clear()
        self._send(200, {}, json.dumps(answer).encode())

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: a worker that was killed has broken its connection."""


def main() -> None:
    handler = type("Own", (Handler,), {"memory": Memory()})
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    with Server(("127.0.0.1", port), handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
