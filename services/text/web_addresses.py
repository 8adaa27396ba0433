"""Web addresses that a shop may send with an order: they become links, so they must lead where they seem to lead."""

import re
import unicodedata
from typing import Final

# The same two patterns are the function `is_web_address` of the database (migration 0016); a test compares them.
# No user info ("https://shop@elsewhere/"), no percent sign in the host (browsers decode it), a host that is not empty.
_SHAPE: Final = re.compile(
    r"https?://(\[[0-9A-Fa-f:.]+\]|[^\s.:/?#@\[\]\\%<>\"^`{|}][^\s:/?#@\[\]\\%<>\"^`{|}]*)(:[0-9]{0,5})?(?:[/?#].*)?"
)
# Spaces, control characters, and characters that are invisible or change the direction of a text.
_FORBIDDEN: Final = re.compile(
    "[\\u0000-\\u0020\\u007f-\\u00a0\\u00ad\\u061c\\u1680\\u180e\\u2000-\\u200b\\u200e\\u200f\\u2028-\\u202f"
    '\\u205f-\\u206f\\u3000\\ufeff\\ufff9-\\ufffb<>"\\\\]'
)
_HOST_FORBIDDEN: Final = re.compile(r"[\s/?#@\[\]\\%<>\"^`{|}:]")


def is_web_address(value: str) -> bool:
    """Whether the address is http or https with a host, and has neither user info nor characters that mislead.

    The scheme must be in lower case. A host is compared as browsers read it, so that a full-width `＠` is an `@`.
    """
    shape = _SHAPE.fullmatch(value)
    if shape is None or _FORBIDDEN.search(value):
        return False
    host = shape[1]
    return host.startswith("[") or not _HOST_FORBIDDEN.search(unicodedata.normalize("NFKC", host))
