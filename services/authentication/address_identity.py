"""Whether two e-mail addresses are one and the same for a single sign-on.

Search folds letters so that people find what they mean. Here a stranger would come in by every letter that is folded: a
provider gives `admın@…` (dotless i) to whoever asks first, and it must not be `admin@…`. So nothing counts as the same
but the letter case of ASCII, the two ways to write a composed letter (NFC), and a domain in either of its two forms.
"""

import unicodedata
from typing import Final

import idna

_LONGEST: Final = 320
_ASCII_CASE: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def identity_key(address: str) -> tuple[str, str] | None:
    """The part before the @ and the domain's A-labels (IDNA 2008), to be compared as they are; None for no address."""
    if len(address) > _LONGEST:
        return None
    local, _, domain = address.rpartition("@")
    encoded = _a_labels(domain)
    return (exact_local_part(local), encoded) if local and encoded else None


def exact_local_part(local: str) -> str:
    return unicodedata.normalize("NFC", local).translate(_ASCII_CASE)


def _a_labels(domain: str) -> str | None:
    # Not by idna.encode: it takes other full stops for dots. Nor mapped by UTS 46, which folds full-width letters.
    labels = []
    for label in domain.split("."):
        label = unicodedata.normalize("NFC", label).translate(_ASCII_CASE)
        try:
            plain = label.isascii() and not label.startswith("xn--")
            labels.append(label if plain else idna.alabel(label).decode("ascii"))
        except (idna.IDNAError, UnicodeError):
            return None
    return ".".join(labels) if all(labels) else None
