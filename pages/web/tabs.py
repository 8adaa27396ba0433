"""Which signed-in browser each open tab belongs to, and how many connections there are without one.

Streamlit calls a tab by an id that its browser sends along: when a connection is made again, and in the address of an
upload. Whoever knows the id would have the tab, with all it shows. So a tab that somebody signed in at belongs to their
session's cookie, and is given to no connection without it; one that nobody signed in at is given to none at all.

All of this is about tabs of this process, and is kept in it. What was forgotten costs a tab its half-filled form when
its connection breaks, nothing else.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final

from services.authentication.sessions import digest

# Put into each connection's own headers by the web server; what a browser sends under this name is thrown away.
CONNECTION_HEADER: Final = "X-Esupport-Connection"
_MOST_TABS: Final = 20_000
# Streamlit keeps a page's state for each of them.
MOST_STRANGERS: Final = 1_000
# A whole office may come through one address, and open the sign-in page at the same time.
MOST_STRANGERS_OF_ONE: Final = 250


@dataclass(slots=True)
class _Connection:
    """An open connection; a stranger's has no cookie that stands, and nobody has signed in over it."""

    network: str
    is_secure: bool
    is_stranger: bool


_lock = threading.Lock()
_owners: "OrderedDict[str, bytes]" = OrderedDict()
_connections: dict[str, _Connection] = {}


def bind(tab: str, token: str, connection: str | None) -> None:
    """Gives the tab to the session of this token; cheap, and done in every run of a signed-in page."""
    with _lock:
        _owners[tab] = digest(token)
        _owners.move_to_end(tab)
        while len(_owners) > _MOST_TABS:
            _owners.popitem(last=False)
        if known := _connections.get(connection or ""):
            known.is_stranger = False


def release(tab: str) -> None:
    """Nobody is signed in at this tab any more."""
    with _lock:
        _owners.pop(tab, None)


def belongs(tab: str, token: str) -> bool:
    """Whether the tab is that of the session with this token."""
    with _lock:
        return bool(token) and _owners.get(tab) == digest(token)


def connect(connection: str, address: str | None, *, is_secure: bool, is_stranger: bool) -> bool:
    """Counts one more connection; False when there are too many strangers, in all or from one network."""
    network = _network(address)
    with _lock:
        strangers = [one.network for one in _connections.values() if one.is_stranger]
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
        known = _connections.get(connection)
        return known is None or known.is_stranger


def is_secure(connection: str | None) -> bool:
    """Whether this connection came by TLS."""
    with _lock:
        known = _connections.get(connection or "")
        return known is not None and known.is_secure


def _network(address: str | None) -> str:
    """An IPv6 address may be any of the billions that one household has."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return address or ""
    return str(ip_network(f"{found}/64", strict=False)) if found.version == 6 else str(found)
