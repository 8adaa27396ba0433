"""The owner of each open tab, and the number of connections that have none.

Streamlit knows a tab by an id that its browser sends when it connects again, and in the address of an upload. Anyone
who knows the id would have the tab, with all that it shows. So a tab with a session belongs to that session's cookie,
and is given to no connection without it; a tab without a session is given to no other connection at all.

The register is about tabs of this process and stays in its memory. A tab that is missing from it loses its half-filled
form when its connection breaks, and nothing else.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final

from services.authentication.sessions import digest

# The web server adds this header to each connection; what a browser sends under this name is dropped.
CONNECTION_HEADER: Final = "X-Esupport-Connection"
_MOST_TABS: Final = 20_000
# Streamlit holds the state of a page for each of them.
MOST_STRANGERS: Final = 1_000
# A whole office may come through one address, and open the sign-in page at the same time.
MOST_STRANGERS_OF_ONE: Final = 250


@dataclass(slots=True)
class _Connection:
    """An open connection; a stranger's came without a valid session, and nobody has signed in over it."""

    network: str
    is_secure: bool
    is_stranger: bool


_lock = threading.Lock()
_owners: "OrderedDict[str, bytes]" = OrderedDict()
_connections: dict[str, _Connection] = {}


def bind(tab: str, token: str, connection: str | None) -> None:
    """Give the tab to the session of this token; cheap, since every run of a signed-in page does it."""
    with _lock:
        _owners[tab] = digest(token)
        _owners.move_to_end(tab)
        while len(_owners) > _MOST_TABS:
            _owners.popitem(last=False)
        if registered := _connections.get(connection or ""):
            registered.is_stranger = False


def release(tab: str) -> None:
    """Forget the owner of the tab: nobody is signed in at it."""
    with _lock:
        _owners.pop(tab, None)


def belongs(tab: str, token: str) -> bool:
    """Whether the tab is that of the session with this token."""
    with _lock:
        return bool(token) and _owners.get(tab) == digest(token)


def connect(connection: str, address: str | None, *, is_secure: bool, is_stranger: bool) -> bool:
    """Register a connection; False when there are too many strangers, in all or from one network."""
    network = _network(address)
    with _lock:
        strangers = [other.network for other in _connections.values() if other.is_stranger]
        is_full = len(strangers) >= MOST_STRANGERS or strangers.count(network) >= MOST_STRANGERS_OF_ONE
        if is_stranger and is_full:
            return False
        _connections[connection] = _Connection(network, is_secure, is_stranger)
        return True


def disconnect(connection: str) -> None:
    with _lock:
        _connections.pop(connection, None)


def is_stranger(connection: str) -> bool:
    with _lock:
        registered = _connections.get(connection)
        return registered is None or registered.is_stranger


def is_secure(connection: str | None) -> bool:
    """Whether this connection came by TLS."""
    with _lock:
        registered = _connections.get(connection or "")
        return registered is not None and registered.is_secure


def _network(address: str | None) -> str:
    """The network that an address is counted under: one household may use any of billions of IPv6 addresses."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return address or ""
    return str(ip_network(f"{parsed}/64", strict=False)) if parsed.version == 6 else str(parsed)
