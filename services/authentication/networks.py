"""The network that an attempt comes from, which is what throttling counts by."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

# This machine itself, and requests through a proxy that does not name their origin.
LOCAL: Final = "local"


def network_of(address: str | None) -> str:
    """The address itself, or its /64 for IPv6: a household has billions of those and may use a new one every time."""
    try:
        parsed = ip_address((address or "").strip())
    except ValueError:  # none, or a header that names no address
        return LOCAL
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is None:
            return LOCAL if parsed.is_loopback else str(ip_network((parsed.packed[:8] + bytes(8), 64)))
        parsed = parsed.ipv4_mapped
    return LOCAL if parsed.is_loopback else str(parsed)
