"""Servers that count who connects, and clients whose names are looked up as a test says."""

import io
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import trustme

from services.connections.safe_http import SafeClient

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answer = Callable[[socket.socket], None]


@dataclass
class Listener:
    """A server at a port of its own that counts who connects, and what they say."""

    port: int
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)  # by server name indication


def _request(stream: io.BufferedReader) -> bytes:
    """The head of a request, whose body was read to its end; nothing once the other side is gone."""
    head = b""
    while (line := stream.readline()) not in (b"", b"\r\n"):
        head += line
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    stream.read(int(length[1]) if length else 0)
    return head


def answering(answer: bytes) -> Answer:
    return lambda connection: connection.sendall(answer)


@contextmanager
def listener(answer: Answer = answering(OK), *, tls: ssl.SSLContext | None = None) -> Iterator[Listener]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        heard = Listener(server.getsockname()[1])
        if tls is not None:
            tls.sni_callback = lambda _, name, __: heard.names.append(name)

        def serve(connection: socket.socket) -> None:
            try:
                with connection if tls is None else tls.wrap_socket(connection, server_side=True) as spoken:
                    stream = spoken.makefile("rb")
                    while request := _request(stream):
                        heard.requests.append(request)
                        answer(spoken)
            except OSError:
                pass

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                heard.connections += 1
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield heard
        server.shutdown(socket.SHUT_RDWR)


def certified(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@contextmanager
def client(
    *addresses: str, verify: ssl.SSLContext | None = None, seconds: float = 5.0
) -> Iterator[SafeClient]:
    """A client for which every name has these addresses; without any, names are looked up as always."""
    resolve = {"resolve": lambda host, port: list(addresses)} if addresses else {}
    made = SafeClient(verify=verify, seconds=seconds, **resolve)
    yield made
    made.close()


def post(client: SafeClient, url: str) -> int:
    return client.post(url, b"{}", {"Content-Type": "application/json"}).status
