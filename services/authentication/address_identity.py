"""Whether two e-mail addresses are identical for a single sign-on.

Search folds letters so that people find what they mean. Here every folded letter would let a stranger in: a provider
gives `admın@…` (dotless i) to the first person who asks, and it must not count as `admin@…`. So only three differences
are ignored: the letter case of ASCII, the two ways to write a composed letter (NFC), and the two forms of a domain.
"""

import unicodedata
from typing import Final

import idna

_LONGEST: Final = 320
_ASCII_CASE: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def identity_key(address: str) -> tuple[str, str] | None:
    """The part before the @ and the domain's A-labels (IDNA 2008), to be compared as they are; None for text that is
    not an address.
    """
    if len(address) > _LONGEST:
        return None
    local, _, domain = address.rpartition("@")
    encoded = _a_labels(domain)
    return (exact_local_part(local), encoded) if local and encoded else None


def exact_local_part(local: str) -> str:
    return unicodedata.normalize("NFC", local).translate(_ASCII_CASE)


def _a_labels(domain: str) -> str | None:
    # Not with idna.encode, which takes other full stops for dots, nor mapped by UTS 46, which folds full-width letters.
    labels = []
    for label in domain.split("."):
        label = unicodedata.normalize("NFC", label).translate(_ASCII_CASE)
        try:
            plain = label.isascii() and not label.startswith("xn--")
            labels.append(label if plain else idna.alabel(label).decode("ascii"))
        except (idna.IDNAError, UnicodeError):
            return None
    return ".".join(labels) if all(labels) else None
