"""E-mail addresses: which ones a message can be sent to."""

import re
from typing import Final

# One address and nothing else: no list, no display name, no comment, no quoted part, nothing that ends a header line.
_ADDRESS: Final = re.compile(r"[^\s@<>\"(),:;\[\]\\]+@[^\s@<>\"(),:;\[\]\\]+")
LONGEST: Final = 254


def is_mailable(address: str | None) -> bool:
    """Whether this is exactly one address of the plain form, in any script."""
    if not address or len(address) > LONGEST or not address.isprintable():
        return False
    if not _ADDRESS.fullmatch(address):
        return False
    local, _, domain = address.rpartition("@")
    return not (local.startswith(".") or local.endswith(".") or ".." in local) and _is_domain(domain)


def ascii_domain(address: str) -> str:
    """The address with its domain as mail servers write it (`xn--…`). The part before the @ stays as it is."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain if domain.isascii() else domain.encode('idna').decode('ascii')}"


def _is_domain(domain: str) -> bool:
    try:
        encoded = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        return False
    labels = encoded.split(".")
    return len(encoded) <= 253 and all(
        re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?", label) for label in labels
    )
