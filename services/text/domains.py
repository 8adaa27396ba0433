"""Domain names as the Internet's protocols write them: IDNA 2008, not the IDNA 2003 of Python's own codec.

The difference matters: IDNA 2003 turns `straße.example` into `strasse.example`, which is another domain.
"""

import re
from typing import Final

import idna

LONGEST: Final = 253
# Letters, digits and hyphens, and the underscore, which host names may not have but some domains do.
_ASCII_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def a_label_domain(domain: str) -> str:
    """The domain in lower-case ASCII, its labels in other scripts as A-labels (`xn--…`).

    Mapped as browsers do (UTS 46, non-transitional): letter case, full-width letters and the dots of East Asia do not
    matter, ß, ς, ZWJ and ZWNJ do. The result maps to itself. Raises `ValueError` for anything that is not a domain: a
    label that IDNA 2008 does not allow (an emoji, a joiner out of its context, an `xn--` label without a meaning), one
    that is empty or longer than 63 octets, more than 253 octets in all, a dot at the end.
    """
    if len(domain) > 4 * LONGEST:
        raise ValueError("The domain is too long.")
    if any("\ud800" <= character <= "\udfff" for character in domain):
        raise ValueError("The domain holds half a character.")
    labels = idna.uts46_remap(domain, std3_rules=False).split(".")
    converted = ".".join(_a_label(label) for label in labels)
    if len(converted) > LONGEST:
        raise ValueError("The domain is too long.")
    return converted


def _a_label(label: str) -> str:
    if not label.isascii():
        return idna.alabel(label).decode("ascii")
    if not _ASCII_LABEL.fullmatch(label):
        raise ValueError("A part of the domain is empty, too long, or has characters that no domain has.")
    if label.startswith("xn--"):
        idna.ulabel(label)  # raises for an A-label that no label has
    return label
