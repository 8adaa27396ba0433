"""The network as the guarded HTTP client sees it: addresses that were checked, and an end to every request."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from ssl import SSLContext
from typing import Final

import httpcore2

from services.connections.addresses import NotAllowedAddress, is_public

FORBIDDEN: Final = "The address leads into a private network; nothing was sent."
_MOST_ADDRESSES: Final = 4


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system looks them up; raises `OSError`."""
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


class _Request(threading.local):
    """The limits of the request that a thread is making."""

    deadline: float = 0.0
    exempt: bool = False

    def seconds_left(self, error: type[Exception]) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise error("The time is up.")
        return left


class CheckedNetwork(httpcore2.SyncBackend):
    """Connects to addresses that were checked, and to no other."""

    def __init__(self, resolve: Callable[[str, int], list[str]]) -> None:
        self._resolve: Final = resolve
        self._request: Final = _Request()

    @contextlib.contextmanager
    def limited(self, deadline: float, *, exempt: bool) -> Iterator[None]:
        """While this thread makes one request: it ends at `deadline` (of the monotonic clock), whatever the other side
        does. With `exempt`, private addresses are allowed.
        """
        self._request.deadline, self._request.exempt = deadline, exempt
        yield

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection to the first address that answers. Raises `NotAllowedAddress` when one of them is private."""
        addresses = self._addresses(host, port)
        error: Exception = httpcore2.ConnectError("The name has no address.")
        for number, address in enumerate(addresses):
            # Each gets its share of the time, so that one that is silent does not use up the others'.
            seconds = self._request.seconds_left(httpcore2.ConnectTimeout) / (len(addresses) - number)
            try:
                stream = super().connect_tcp(address, port, seconds, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as failure:
                error = failure
            else:
                return _LimitedStream(stream, self._request)
        raise error

    def _addresses(self, host: str, port: int) -> list[str]:
        addresses = self._looked_up(host, port)
        if not self._request.exempt and not all(map(is_public, addresses)):
            raise NotAllowedAddress(FORBIDDEN)
        return addresses[:_MOST_ADDRESSES]

    def _looked_up(self, host: str, port: int) -> list[str]:
        # In a thread of its own: the system's look-up knows no time limit.
        answers: SimpleQueue[list[str] | None] = SimpleQueue()

        def look_up() -> None:
            try:
                answers.put(self._resolve(host, port))
            except (OSError, UnicodeError):
                answers.put(None)

        threading.Thread(target=look_up, name="name look-up", daemon=True).start()
        try:
            addresses = answers.get(timeout=self._request.seconds_left(httpcore2.ConnectTimeout))
        except Empty:
            raise httpcore2.ConnectTimeout("The name was not resolved in time.") from None
        if addresses is None:
            raise httpcore2.ConnectError("The name cannot be resolved.")
        return addresses


class _LimitedStream(httpcore2.NetworkStream):
    """A connection on which each operation takes at most what the thread's request has left."""

    def __init__(self, stream: httpcore2.NetworkStream, request: _Request) -> None:
        self._stream: Final = stream
        self._request: Final = request

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._request.seconds_left(httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._request.seconds_left(httpcore2.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        seconds = self._request.seconds_left(httpcore2.ConnectTimeout)
        return _LimitedStream(self._stream.start_tls(ssl_context, server_hostname, seconds), self._request)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)
