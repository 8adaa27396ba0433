"""The client that a request really comes from, as a trusted proxy names it and nobody else."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.settings import Network, settings

_FORWARDED: Final = (
    b"x-forwarded-for",
    b"x-forwarded-proto",
    b"x-forwarded-host",
    b"x-real-ip",
    b"forwarded",
)


class TrustedProxies:
    """Write the client, the scheme and the host that a trusted proxy names into the request.

    It must come before all code that reads one of them. It removes every such header, so that nothing behind it can
    believe a stranger's.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            scope = _with_client(scope)
        await self.app(scope, receive, send)


def _with_client(scope: Scope) -> Scope:
    headers = Headers(scope=scope)
    others = [pair for pair in scope["headers"] if pair[0] not in _FORWARDED]
    changed = dict(scope) | {"headers": others}
    trusted = settings().web.trusted_proxies
    peer = scope["client"][0] if scope.get("client") else ""
    if not _is_trusted(peer, trusted):
        return changed
    if client := _client(headers.getlist("x-forwarded-for"), trusted):
        changed["client"] = (client, 0)
    proto = headers.get("x-forwarded-proto", "").strip().lower()
    if proto in ("http", "https"):
        is_websocket = scope["type"] == "websocket"
        changed["scheme"] = proto.replace("http", "ws") if is_websocket else proto
    if host := headers.get("x-forwarded-host", "").strip():
        changed["headers"] = [pair for pair in others if pair[0] != b"host"] + [
            (b"host", host.encode("latin-1"))
        ]
    return changed


def _client(forwarded: Sequence[str], trusted: Sequence[Network]) -> str | None:
    """The right-most address that is not a trusted proxy's; the client itself may have written what is left of it.

    None when that is not an address, or when there is none: the proxy itself is the best answer then.
    """
    hops = [hop.strip() for line in forwarded for hop in line.split(",")]
    address = None
    for hop in reversed(hops):
        address = _address(hop)
        if address is None or not _is_trusted(str(address), trusted):
            break
    return str(address) if address is not None else None


def _is_trusted(peer: str, trusted: Sequence[Network]) -> bool:
    address = _address(peer)
    return address is not None and any(address in network for network in trusted)


def _address(hop: str) -> IPv4Address | IPv6Address | None:
    """Parse an address with or without a port; an IPv4 address mapped to IPv6 becomes that IPv4 address."""
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    try:
        address = ip_address(hop.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
