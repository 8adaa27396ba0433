"""E-mail addresses: a single rule for the pages and the worker says which addresses a message can be sent to.

Two things decide: whether the text is exactly one address of the plain form (no list, no display name, no comment, no
quoted part) and, when the part before the @ has letters outside ASCII, whether the mail server accepts those (SMTPUTF8,
RFC 6531). The worker finds that out and stores it in the database: `services.mail.server_state`.
"""

import re
import unicodedata
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from enum import Enum
from typing import Final

import idna

from services.text.domains import a_label_domain
from services.text.keys import strip_edges

# RFC 5321, section 4.5.3.1, in octets; the limit of a whole address is that of a path without its angle brackets.
LONGEST: Final = 254
_LONGEST_LOCAL: Final = 64
# Characters that only a quoted part may have, and no address here may have a quoted part.
_LOCAL: Final = re.compile(r"[^\s@<>\"(),:;\[\]\\]+")
_JOINERS: Final = "\u200c\u200d"
_NAMED: Final = re.compile(r"""\s*(?P<name>"(?:[^"\\]|\\.)*"|[^<>]*?)\s*<\s*(?P<address>[^<>]*?)\s*>\s*""")
_ALONE: Final = re.compile(r"\s*(?P<address>[^\s()]*)(?:\s*\((?P<name>[^()]*)\))?\s*")
NO_ADDRESS: Final = "Mail cannot be sent to this e-mail address."
NO_UTF8: Final = (
    "This address has letters outside ASCII before the @, and the mail server does not take such addresses."
)
UTF8_UNKNOWN: Final = (
    "This address has letters outside ASCII before the @, and the mail server has not yet said whether it takes "
    "such addresses. Please try again in a few minutes."
)


class Utf8(Enum):
    """Whether letters outside ASCII are accepted before the @."""

    TAKEN = "taken"
    REFUSED = "refused"
    UNKNOWN = "unknown"


def why_not_mailable(address: str | None, utf8: Utf8) -> str | None:
    """None when a message to this address can be handed to the mail server, otherwise a sentence with the reason."""
    try:
        local = mailable(address or "").partition("@")[0]
    except ValueError:
        return NO_ADDRESS
    if local.isascii() or utf8 is Utf8.TAKEN:
        return None
    return NO_UTF8 if utf8 is Utf8.REFUSED else UTF8_UNKNOWN


def is_well_formed(address: str | None) -> bool:
    """Whether this is exactly one address of the plain form, in any script."""
    return why_not_mailable(address, Utf8.TAKEN) is None


def is_ascii(address: str | None) -> bool:
    """Whether any mail server accepts the address: the part before the @ is ASCII (every domain has an ASCII form)."""
    return (address or "").rpartition("@")[0].isascii()


def mailable(address: str) -> str:
    """The address as it is sent to the mail server: its domain in A-labels, the part before the @ unchanged, without
    the invisible characters that some shops have stored at its edges.

    Raises `ValueError` when it is not well formed.
    """
    local, at, domain = strip_edges(address).rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or not _is_readable(local):
        raise ValueError(NO_ADDRESS)
    if local.startswith(".") or local.endswith(".") or ".." in local:
        raise ValueError(NO_ADDRESS)
    converted = a_label_domain(domain)
    if converted.rpartition(".")[2].isdigit():  # 192.0.2.1 is not a domain
        raise ValueError(NO_ADDRESS)
    octets = len(local.encode())
    if octets > _LONGEST_LOCAL or octets + 1 + len(converted) > LONGEST:
        raise ValueError(NO_ADDRESS)
    return f"{local}@{converted}"


def _is_readable(local: str) -> bool:
    """Whether it has no control or formatting characters, except joiners where IDNA 2008 gives them a meaning."""
    return all(
        (character in _JOINERS and _joins(local, index)) or character.isprintable()
        for index, character in enumerate(local)
    ) and not unicodedata.category(local[0]).startswith("M")


def _joins(text: str, index: int) -> bool:
    try:
        return idna.valid_contextj(text, index)
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender of mails: a name, which may be empty, and an address as it is sent to the mail server."""

    name: str
    address: str


def sender_of(mail_from: str) -> Sender:
    """Parse a `MAIL_FROM`: an address alone, or a name (quoted or not, with any characters) and `<an address>`.

    Raises `ValueError` with a sentence.
    """
    match = _NAMED.fullmatch(mail_from) or _ALONE.fullmatch(mail_from)
    try:
        if match is None:
            raise ValueError(NO_ADDRESS)
        return Sender(_sender_name(match["name"] or ""), mailable(match["address"]))
    except ValueError as error:
        raise ValueError(
            "MAIL_FROM must be one e-mail address, such as esupport@example.com, or a name and an address, such as "
            "Example Support <esupport@example.com>."
        ) from error


def _sender_name(written: str) -> str:
    name = written
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    if "=?" in name:  # as in a header
        try:
            name = str(make_header(decode_header(name)))
        except (HeaderParseError, LookupError, UnicodeError):
            return written
    return " ".join(name.split())
