"""A row of `mail` as bytes: its headers are written here, its body by Python's email package.

Before 3.11.9 Python lost the quotes of a display name when it folded a long header, so that a name with a comma became
a second recipient. Nothing here relies on it: a name that is not plain words is written as encoded words (RFC 2047),
which cannot contain a comma, a quote or an @. A name that is too long or looks like an address is omitted.
"""

import re
import unicodedata
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final, NamedTuple

from services.mail.addresses import Sender, mailable

_POLICY: Final = policy.SMTP.clone(cte_type="7bit")
_LINE: Final = 76
# Octets of UTF-8 in one encoded word; with its delimiters it fits into a line beside the longest header name.
_CHUNK: Final = 36
_LONGEST_NAME: Final = 200
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9'-]+( [A-Za-z0-9'-]+)*")
_MESSAGE_ID: Final = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]+>")
_JOINERS: Final = "\u200c\u200d"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the mail server receives it: sender and recipient of the envelope, content with its headers."""

    sender: str
    recipient: str
    content: bytes

    @property
    def needs_utf8(self) -> bool:
        """Whether the message needs a server that offers SMTPUTF8."""
        return not (self.sender.isascii() and self.recipient.isascii())


class MailContent(NamedTuple):
    """The columns of `mail` that a message is composed of."""

    to_address: str | None
    to_name: str | None
    subject: str
    text_body: str
    html_body: str | None
    message_id: str
    created_at: datetime


def compose(row: MailContent, *, sender: Sender) -> Message:
    """The message of a row of `mail`: plain text and HTML, one recipient.

    Nothing in the row can add a header or a recipient. Raises `ValueError` when its address is not well formed.
    """
    recipient = mailable(row.to_address or "")
    headers = (
        _mailbox("From", sender.name, sender.address),
        _mailbox("To", row.to_name or "", recipient),
        _text("Subject", row.subject),
        f"Date: {format_datetime(row.created_at)}",
        *_message_id(row.message_id),
        "Auto-Submitted: auto-generated",
    )
    head = "".join(f"{header}\r\n" for header in headers)
    return Message(sender.address, recipient, head.encode() + _body(row))


def _body(row: MailContent) -> bytes:
    """The MIME headers and the parts, all in ASCII."""
    parts = EmailMessage(policy=_POLICY)
    parts.set_content(_whole(row.text_body))
    if row.html_body:
        parts.add_alternative(_whole(row.html_body), subtype="html")
    return parts.as_bytes()


def _message_id(message_id: str) -> list[str]:
    is_usable = len(message_id) < 900 and _MESSAGE_ID.fullmatch(message_id)
    return [f"Message-ID: {message_id}"] if is_usable else []


def _mailbox(header: str, name: str, address: str) -> str:
    name = one_line(name)
    # Some programs show a name that looks like an address as if it were one.
    if not name or len(name) > _LONGEST_NAME or "@" in unicodedata.normalize("NFKC", name):
        return f"{header}: {address}"
    name_parts = [name] if _PLAIN_NAME.fullmatch(name) and len(name) <= 60 else _encoded_words(name)
    return f"{header}: " + "\r\n ".join([*name_parts, f"<{address}>"])


def _text(header: str, text: str) -> str:
    text = one_line(text)
    room = _LINE - len(header) - 2
    is_plain = text.isascii() and "=?" not in text and all(len(word) < room for word in text.split())
    return f"{header}: " + "\r\n ".join(_lines(text, room) if is_plain else _encoded_words(text))


def _lines(text: str, room: int) -> list[str]:
    """The text in lines broken at spaces; each line break with its leading space stands for the space."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".lstrip()
    return lines


def _encoded_words(text: str) -> list[str]:
    """Encoded words of whole characters, since readers decode each word separately (RFC 2047, section 5)."""
    chunks, size = [""], 0
    for character in text:
        octets = len(character.encode())
        if size + octets > _CHUNK:
            chunks.append("")
            size = 0
        chunks[-1] += character
        size += octets
    return [f"=?utf-8?b?{b64encode(chunk.encode()).decode()}?=" for chunk in chunks]


def one_line(text: str | None) -> str:
    """The text as one line without invisible characters: controls, lone surrogates, marks of writing direction."""
    shown = (
        " " if character.isspace() or character in "\x85\u2028\u2029" else character
        for character in text or ""
        if character.isspace()
        or character in _JOINERS
        or unicodedata.category(character) not in ("Cc", "Cf", "Cs")
    )
    return " ".join("".join(shown).split())


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
