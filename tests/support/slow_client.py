"""A slow line to a web server: passes everything on, answers to one path no faster than it is told.

Chromium's own throttling does not reach downloads.
"""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PIECE = 16_384


class SlowLine:
    """Where it listens, and how many bytes a second it lets through (None: all there are)."""

    def __init__(self, server_port: int, path: bytes) -> None:
        self.rate: int | None = None
        self._server_port, self._path = server_port, path
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://localhost:{self._listener.getsockname()[1]}"

    def accept(self) -> None:
        with suppress(OSError):  # closed: the end
            while True:
                browser, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(browser,), daemon=True).start()

    def close(self) -> None:
        self.rate = None
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self, browser: socket.socket) -> None:
        server = socket.socket()
        # Little is under way between the two, so that a slow reader is felt by the sender.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _PIECE)
        browser.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _PIECE)
        server.connect(("127.0.0.1", self._server_port))
        is_slow = threading.Event()
        threading.Thread(target=self._ask, args=(browser, server, is_slow), daemon=True).start()
        with suppress(OSError):
            while piece := server.recv(_PIECE):
                browser.sendall(piece)
                if is_slow.is_set() and self.rate:
                    time.sleep(len(piece) / self.rate)
        self._end(browser, server)

    def _ask(self, browser: socket.socket, server: socket.socket, is_slow: threading.Event) -> None:
        with suppress(OSError):
            while piece := browser.recv(_PIECE):
                if piece.startswith(b"GET " + self._path):
                    is_slow.set()
                    # Compressed, all of it would be under way before the first of it arrives.
                    piece = re.sub(rb"(?i)\r\naccept-encoding:[^\r]*", b"", piece)
                elif piece.startswith(b"GET "):
                    is_slow.clear()
                server.sendall(piece)
        self._end(browser, server)

    @staticmethod
    def _end(*sockets: socket.socket) -> None:
        for connection in sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


@contextmanager
def slow_line(server_port: int, path: str) -> Iterator[SlowLine]:
    line = SlowLine(server_port, path.encode())
    threading.Thread(target=line.accept, daemon=True).start()
    yield line
    line.close()
