"""Addresses that administrators type: https only, and never one of the own network.

Hosts named in `ESUPPORT_HOOK_HOSTS` are exempt, for shops on the same network and for tests.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address
from typing import Final

import httpx2

from services.settings import settings

LONGEST: Final = 2000
# The special purposes that IANA's registry lists, written out: Python's own lists differ between its releases.
_SPECIAL_V4: Final = tuple(
    IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
# Of IPv6, only what is handed out to the public internet, without the protocols' own (Teredo, ORCHID and others), the
# documentation's and 6to4, which leads to any IPv4 address.
_PUBLIC_V6: Final = IPv6Network("2000::/3")
_SPECIAL_V6: Final = tuple(
    IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
# IPv4 addresses as seen from a network that has only IPv6 (RFC 6052): as public as the address inside.
_NAT64: Final = IPv6Network("64:ff9b::/96")


class NotAllowedAddress(Exception):
    """An address that is not spoken to; the text is a sentence that says why."""


def check_address(url: str) -> None:
    """Raise `NotAllowedAddress` unless the address may be typed as one: https, a host, no password in it.

    Where a name leads is looked at when it is connected to (services/connections/safe_http.py).
    """
    try:
        parts = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        raise NotAllowedAddress("This is not a web address.") from None
    has_port = parts.port is None or 0 < parts.port < 2**16
    if not parts.host or len(url) > LONGEST or not url.isprintable() or not has_port:
        raise NotAllowedAddress("This is not a web address.")
    if parts.userinfo:
        raise NotAllowedAddress("The address must not hold a name or a password.")
    if is_exempt(parts.host) and parts.scheme in ("http", "https"):
        return
    if parts.scheme != "https":
        raise NotAllowedAddress("The address must begin with https://.")
    if _is_private_literal(parts.host):
        raise NotAllowedAddress("The address leads into a private network.")


def is_exempt(host: str) -> bool:
    """Whether `ESUPPORT_HOOK_HOSTS` names the host."""
    return host.lower().rstrip(".").strip("[]") in settings().web.hook_hosts


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet; False for one that is none."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv4Address):
        return _is_public_v4(ip)
    if ip.scope_id is not None:  # valid on one link only
        return False
    if ip.ipv4_mapped is not None:
        return _is_public_v4(ip.ipv4_mapped)
    if ip in _NAT64:
        return _is_public_v4(IPv4Address(int(ip) & 0xFFFFFFFF))
    return ip in _PUBLIC_V6 and not any(ip in network for network in _SPECIAL_V6)


def _is_public_v4(ip: IPv4Address) -> bool:
    return not any(ip in network for network in _SPECIAL_V4)


def _is_private_literal(host: str) -> bool:
    """Whether the host is an IP address that is not public; other spellings of one show when they are resolved."""
    if ":" in host:
        return not is_public(host)
    try:
        return not _is_public_v4(IPv4Address(host))
    except ValueError:
        return False
