"""Which site a request comes from: only the portal's own pages speak to its websocket or change anything.

A browser sends the cookies of `localhost:8501` to every port of localhost, and a website of somebody else's can open a
websocket to any address. What it cannot do is to name another `Origin` than its own.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from services.settings import settings

_PORTS: Final = {"http": "80", "https": "443"}


def is_secure(scope: Scope) -> bool:
    """Whether the browser came by TLS, as far as this installation or a trusted proxy says."""
    return scope.get("scheme") in ("https", "wss") or settings().web.base_url.startswith("https:")


def is_own_origin(scope: Scope) -> bool:
    """Whether the request comes from a page of the very host and port that it is sent to.

    False without an `Origin`: every browser sends one with a websocket and with whatever changes something.
    """
    headers = Headers(scope=scope)
    # Two of them, and whoever reads next might take the other one.
    if len(headers.getlist("origin")) != 1 or len(headers.getlist("host")) != 1:
        return False
    origin = _parts(headers["origin"])
    if origin is None:
        return False
    if origin == _parts(settings().web.base_url):
        return True
    scheme, host = origin
    # A proxy that nobody named ends TLS without our knowing. The other way round, a page that came without TLS may
    # have been changed on its way.
    return (scheme == "https" or not is_secure(scope)) and host == _host(headers["host"], scheme)


def _parts(address: str) -> tuple[str, str] | None:
    """Scheme, and host with port, of an origin; None for `null` and for what is none."""
    try:
        parts = urlsplit(address)
    except ValueError:  # an unbalanced bracket
        return None
    if parts.scheme not in _PORTS or not parts.netloc or "@" in parts.netloc:
        return None
    return parts.scheme, _host(parts.netloc, parts.scheme)


def _host(netloc: str, scheme: str) -> str:
    return netloc.lower().removesuffix(f":{_PORTS[scheme]}")
