"""HTTP to addresses that administrators typed: only to the public internet, and never for longer than 15 seconds.

The name is resolved here, every address that it has is checked, and the connection goes to an address that was checked:
a name that answers differently a moment later (DNS rebinding) gains nothing. TLS and the Host header go by the name all
the same. Redirects are not followed, and proxies of the environment are not used. Hosts named in `ESUPPORT_HOOK_HOSTS`
are exempt.
"""

import email.utils
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpcore2
import httpx2

from services.connections.addresses import NotAllowedAddress as NotAllowedAddress
from services.connections.addresses import check_address, is_exempt
from services.connections.checked_network import CheckedNetwork, resolve

SECONDS: Final = 15.0
MAX_CONTENT: Final = 4 * 1024 * 1024
# What a shop answers to an event is not read any further.
_LONGEST_ANSWER: Final = 64 * 1024
_MOST_CONNECTIONS: Final = 100
_KEPT_SECONDS: Final = 30.0
_LONGEST_WAIT: Final = 7 * 86400.0


class NotDelivered(Exception):
    """No answer came; the text says why, without anything secret."""


@dataclass(frozen=True, slots=True)
class HttpContent:
    """A response with its body; `retry_after` is in seconds."""

    status: int
    retry_after: float | None
    content: bytes


class SafeClient:
    """A client that keeps connections open between requests to one host; any number of threads may share it.

    `resolve` is how names are looked up: the addresses of a host, as texts.
    """

    def __init__(
        self,
        *,
        verify: ssl.SSLContext | None = None,
        resolve: Callable[[str, int], list[str]] = resolve,
        seconds: float = SECONDS,
    ) -> None:
        self._seconds: Final = seconds
        self._network: Final = CheckedNetwork(resolve)
        self._pool: Final = httpcore2.ConnectionPool(
            ssl_context=verify or ssl.create_default_context(),
            network_backend=self._network,
            max_connections=_MOST_CONNECTIONS,
            keepalive_expiry=_KEPT_SECONDS,
        )

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> HttpContent:
        """Send the body; errors are those of `request`."""
        return self.request("POST", url, headers, body, longest=_LONGEST_ANSWER)

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        longest: int = MAX_CONTENT,
    ) -> HttpContent:
        """The answer with at most about `longest` bytes of its content; a longer one is not read to its end.

        Everything together, from the look-up of the name to the last byte, takes at most 15 seconds. Raises
        `NotDelivered`, and `NotAllowedAddress` before anything is sent.
        """
        check_address(url)
        parts = httpx2.URL(url)
        host = parts.raw_host.decode("ascii")
        target = httpcore2.URL(
            scheme=parts.raw_scheme, host=parts.raw_host, port=parts.port, target=parts.raw_path
        )
        sent = [("Host", parts.netloc.decode("ascii")), *headers.items()]
        exempt = is_exempt(parts.host) or is_exempt(host)
        try:
            with (
                self._network.limited(time.monotonic() + self._seconds, exempt=exempt),
                self._pool.stream(
                    method,
                    target,
                    headers=sent,
                    content=body,
                    extensions={"timeout": {"pool": self._seconds}},
                ) as response,
            ):
                content = _content(response, longest)
                return HttpContent(response.status, _retry_after(response), content)
        except (
            httpcore2.TimeoutException,
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
            ssl.SSLError,
            OSError,
        ) as error:
            raise NotDelivered(self._reason(error)) from None

    def close(self) -> None:
        self._pool.close()

    def _reason(self, error: Exception) -> str:
        if isinstance(error, httpcore2.TimeoutException):
            return f"There was no answer within {self._seconds:.0f} seconds."
        if isinstance(error, httpcore2.ConnectError):
            return f"No connection could be made: {error}"[:300]
        return f"The connection broke: {type(error).__name__}"


def _content(response: httpcore2.Response, longest: int) -> bytes:
    content = b""
    for chunk in response.iter_stream():
        content += chunk
        if len(content) >= longest:
            break
    return content


def _retry_after(response: httpcore2.Response) -> float | None:
    """The header `Retry-After` (RFC 9110, section 10.2.3), a number of seconds or a date; None without a usable one."""
    values = [value for name, value in response.headers if name.lower() == b"retry-after"]
    text = values[0].decode("latin-1").strip() if values else ""
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _LONGEST_WAIT)
    try:
        date = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    # A date without a zone is of UTC, which such dates always are.
    at = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(max((at - datetime.now(UTC)).total_seconds(), 0.0), _LONGEST_WAIT)
