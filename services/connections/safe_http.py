"""HTTP to addresses that administrators typed: https only, and never to a machine of the own network.

The name is resolved here, every address that it has is checked, and the connection goes to an address that was checked:
a name that answers differently a moment later (DNS rebinding) gains nothing. Redirects are not followed. Hosts named in
`ESUPPORT_HOOK_HOSTS` are exempt, for shops on the same network and for tests.
"""

import ipaddress
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import httpcore2
import httpx2

from services.settings import settings

SECONDS: Final = 15.0
MAX_CONTENT: Final = 4 * 1024 * 1024
_LONGEST_ANSWER: Final = 64 * 1024
_SHOWN: Final = 300


class NotAllowedAddress(Exception):
    """An address that is not spoken to; the text says why."""


class NotDelivered(Exception):
    """No answer came; the text says why, without anything secret."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back: the status, `Retry-After` in seconds if any, and the beginning of the text."""

    status: int
    retry_after: float | None
    text: str


def check_address(url: str) -> None:
    """Raise `NotAllowedAddress` unless the address may be typed as one: https, a host, no password in it.

    Where the name leads is looked at when it is connected to.
    """
    try:
        parts = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        raise NotAllowedAddress("This is not a web address.") from None
    if not parts.host:
        raise NotAllowedAddress("This is not a web address.")
    if parts.userinfo:
        raise NotAllowedAddress("The address must not hold a name or a password.")
    if parts.scheme == "https" or (parts.scheme == "http" and _is_exempt(parts.host)):
        return
    raise NotAllowedAddress("The address must begin with https://.")


@dataclass(frozen=True, slots=True)
class HttpContent:
    """What came back, with its bytes; `retry_after` is in seconds."""

    status: int
    retry_after: float | None
    content: bytes


class SafeClient:
    """A client that keeps connections open between messages to one host. Use from one thread at a time."""

    def __init__(self, *, verify: ssl.SSLContext | None = None) -> None:
        transport = httpx2.HTTPTransport(verify=verify or ssl.create_default_context(), retries=0)
        # The pool is the library's own, with our way of connecting in place of its own.
        transport._pool = httpcore2.ConnectionPool(
            ssl_context=verify or ssl.create_default_context(),
            network_backend=_CheckedBackend(),
            max_connections=20,
            keepalive_expiry=30,
        )
        self._client = httpx2.Client(
            transport=transport, timeout=SECONDS, follow_redirects=False, trust_env=False
        )

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> HttpAnswer:
        """Send the body; raises `NotDelivered`, and `NotAllowedAddress` before anything is sent."""
        answer = self.request("POST", url, headers, body, longest=_LONGEST_ANSWER)
        return HttpAnswer(answer.status, answer.retry_after, _beginning(answer.content))

    def request(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | None = None,
        *,
        longest: int = MAX_CONTENT,
    ) -> HttpContent:
        """The answer with at most about `longest` bytes of its content; a longer one is not read to its end.

        Raises `NotDelivered`, and `NotAllowedAddress` before anything is sent.
        """
        check_address(url)
        try:
            with self._client.stream(method, url, content=body, headers=headers) as response:
                content = _content(response, longest)
                return HttpContent(response.status_code, _retry_after(response), content)
        except _Forbidden as error:
            raise NotAllowedAddress(str(error)) from None
        except httpx2.HTTPError as error:
            raise NotDelivered(_reason(error)) from None

    def close(self) -> None:
        self._client.close()


class _Forbidden(Exception):
    pass


class _CheckedBackend(httpcore2.SyncBackend):
    """Connects to addresses that were checked, and to no other."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        error: Exception | None = None
        for address in _addresses(host, port):
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as failed:
                error = failed
        raise error or httpcore2.ConnectError("The name has no address.")


def _addresses(host: str, port: int) -> list[str]:
    """The addresses of a host, all of them public; raises `_Forbidden` when one of them is not."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise httpcore2.ConnectError("The name cannot be resolved.") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not _is_exempt(host) and not all(map(_is_public, addresses)):
        raise _Forbidden("The address leads into a private network; nothing was sent.")
    return addresses


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        embedded = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if embedded is None and ip in _NAT64:
            embedded = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if embedded is not None and not _is_public(str(embedded)):
            return False
    return ip.is_global and not ip.is_multicast


_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def _is_exempt(host: str) -> bool:
    return host.lower().rstrip(".").strip("[]") in settings().web.hook_hosts


def _content(response: httpx2.Response, longest: int) -> bytes:
    content = b""
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) >= longest:
            break
    return content


def _beginning(content: bytes) -> str:
    """The first characters of the answer, printable."""
    text = content[:4096].decode("utf-8", "replace")
    return "".join(c if c.isprintable() else " " for c in text)[:_SHOWN].strip()


def _retry_after(response: httpx2.Response) -> float | None:
    value = response.headers.get("retry-after", "").strip()
    if not (value.isascii() and value.isdigit()):
        return None
    return min(float(value[:9]), 7 * 86400.0)


def _reason(error: httpx2.HTTPError) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return f"There was no answer within {SECONDS:.0f} seconds."
    if isinstance(error, httpx2.ConnectError):
        return f"No connection could be made: {error}"[:300]
    return f"The connection broke: {type(error).__name__}"
