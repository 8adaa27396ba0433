"""The site that a request comes from: only the portal's own pages may open its websocket or change anything.

A browser sends the cookies of `localhost:8501` to every port of localhost, and any website can open a websocket to any
address. What no website can do is name another `Origin` than its own.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from services.settings import settings

_PORTS: Final = {"http": "80", "https": "443"}


def is_secure(scope: Scope) -> bool:
    """Whether the browser uses TLS, as far as this installation or a trusted proxy says."""
    return scope.get("scheme") in ("https", "wss") or settings().web.base_url.startswith("https:")


def is_own_origin(scope: Scope) -> bool:
    """Whether the request comes from a page of the same host and port that it is sent to.

    False without an `Origin`: every browser sends one with a websocket and with each request that changes something.
    """
    headers = Headers(scope=scope)
    # Of two such headers, Streamlit might read the other one.
    if len(headers.getlist("origin")) != 1 or len(headers.getlist("host")) != 1:
        return False
    origin = _parts(headers["origin"])
    if origin is None:
        return False
    if origin == _parts(settings().web.base_url):
        return True
    scheme, host = origin
    # A proxy that is not configured as trusted may end TLS unnoticed, so an insecure request may come from a page over
    # https. The other way round it may not: a page that came without TLS may have been changed on its way.
    return (scheme == "https" or not is_secure(scope)) and host == _host(headers["host"], scheme)


def _parts(address: str) -> tuple[str, str] | None:
    """Scheme, and host with port, of an origin; None for `null` and for anything that is not an origin."""
    try:
        parts = urlsplit(address)
    except ValueError:  # an unbalanced bracket
        return None
    if parts.scheme not in _PORTS or not parts.netloc or "@" in parts.netloc:
        return None
    return parts.scheme, _host(parts.netloc, parts.scheme)


def _host(netloc: str, scheme: str) -> str:
    return netloc.lower().removesuffix(f":{_PORTS[scheme]}")
