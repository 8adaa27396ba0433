"""Texts of mails to customers that administrators may change: placeholders in plain text, checked and filled in.

A text is written as Jinja writes it, `{{ order }}`, and is parsed by Jinja, but never run by it: it may consist of
words and of the placeholders listed here, and of nothing else. So nobody's text reaches anything but these values
(decision 037).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateSyntaxError,
    nodes,
    select_autoescape,
)

from services.errors import InvalidInput
from services.mail.languages import ENGLISH, LANGUAGES
from services.mail.message import one_line
from services.text.input import checked_text

_FOLDER: Final = Path(__file__).parent / "templates"
SUBJECT_LIMIT: Final = 200
BODY_LIMIT: Final = 5_000
# What a value that is empty takes along: the comma and the space before it, as in "Hello,".
_BEFORE_EMPTY: Final = re.compile(r",?[ \t]+\Z")


class RefundText(StrEnum):
    """Which refund a text tells of."""

    FULL = "full"
    PARTIAL = "partial"

    @property
    def label(self) -> str:
        return {"full": "Full refund", "partial": "Partial refund"}[self]


# Name: what it is replaced by.
PLACEHOLDERS: Final[Mapping[str, str]] = {
    "order": "the order's name, such as A0012345678",
    "sum": "what was given back, with its currency",
    "items": "the refunded items, one a line",
    "customer": "the customer's name; left out, with the comma before it, if nobody told it",
    "order_page": "the address of the customer's page of the order",
    "store": "the checkout page's display name",
}
_REQUIRED: Final = {
    RefundText.FULL: {"order": "which order it is about", "sum": "what was given back"},
    RefundText.PARTIAL: {
        "order": "which order it is about",
        "sum": "what was given back",
        "items": "what was refunded",
    },
}
_NOT_IN_SUBJECT: Final = ("items", "order_page")
_SINGLE: Final = re.compile(r"(?<!\{)\{\s*(" + "|".join(PLACEHOLDERS) + r")\s*\}(?!\})")
# Blocks and comments: some of them leave nothing behind by which they could be told once they were parsed.
_BLOCK: Final = re.compile(r"\{[%#]")
_HOLDING_SPACES: Final = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"
_AT_HOLDING_SPACES: Final = re.compile(f"([{_HOLDING_SPACES}])")
_parser: Final = Environment(autoescape=True)  # parses, and is never asked to run anything
_frames: Final = Environment(
    loader=FileSystemLoader(_FOLDER),
    autoescape=select_autoescape(enabled_extensions=("html.jinja",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class MailText:
    """A text with its placeholders."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class WrittenMail:
    """What a message says, as columns of `mail`."""

    subject: str
    text_body: str
    html_body: str


class _Piece(NamedTuple):
    """Words, or the value of a placeholder; `is_link`: the text is an address."""

    text: str
    is_link: bool = False


@cache
def built_in(kind: RefundText, language: str) -> MailText:
    """The text that comes with the portal, in English where there is none in the language."""
    name = f"{kind}.{language if language in LANGUAGES else ENGLISH}.txt.jinja"
    subject, _, body = (_FOLDER / "customer_refund" / name).read_text(encoding="utf-8").partition("\n")
    return MailText(subject, body.strip("\n"))


def checked_mail_text(kind: RefundText, *, subject: str, body: str) -> MailText:
    """The text, ready to be filled in.

    Raises `InvalidInput` (field `subject` or `body`) for one that is empty or too long, that cannot be read, that
    holds anything but words and placeholders, or that leaves out what the customer must be told.
    """
    subject = " ".join(checked_text(subject, field="subject", name="A subject", limit=SUBJECT_LIMIT).split())
    body = checked_text(body, field="body", name="A text", limit=BODY_LIMIT)
    in_subject = _checked_names(subject, "subject")
    for name in _NOT_IN_SUBJECT:
        if name in in_subject:
            raise InvalidInput(f"{{{{ {name} }}}} is too long for a subject.", field="subject")
    in_body = _checked_names(body, "body")
    for name, what in _REQUIRED[kind].items():
        if name not in in_body:
            raise InvalidInput(f"{{{{ {name} }}}} is missing: the customer has to read {what}.", field="body")
    return MailText(subject, body)


def fill(text: MailText, values: Mapping[str, str], *, language: str) -> WrittenMail:
    """The message: every value as it is in plain text and escaped in HTML. `values` has all of `PLACEHOLDERS`."""
    subject = "".join(piece.text for piece in _filled(text.subject, values))
    lines: list[list[_Piece]] = [[]]
    for piece in _filled(text.body, values):
        first, *others = piece.text.split("\n")
        lines[-1].append(piece._replace(text=first))
        lines += [[piece._replace(text=other)] for other in others]
    paragraphs: list[list[list[_Piece]]] = [[]]
    for line in lines:
        if any(piece.text.strip() for piece in line):
            paragraphs[-1].append([piece for piece in line if piece.text])
        elif paragraphs[-1]:
            paragraphs.append([])
    html = _frames.get_template("customer_refund.html.jinja").render(
        language=language, paragraphs=[paragraph for paragraph in paragraphs if paragraph]
    )
    return WrittenMail(
        one_line(subject)[:1000], "\n".join("".join(p.text for p in line) for line in lines), html
    )


def _filled(source: str, values: Mapping[str, str]) -> list[_Piece]:
    pieces: list[_Piece] = []
    for node in _parsed(source):
        if isinstance(node, nodes.TemplateData):
            pieces.append(_Piece(node.data))
            continue
        assert isinstance(node, nodes.Name)  # noqa: S101 - the texts were checked when they were saved
        value = _value(node.name, values[node.name])
        if not value and pieces:
            pieces[-1] = pieces[-1]._replace(text=_BEFORE_EMPTY.sub("", pieces[-1].text))
        pieces.append(_Piece(value, is_link=node.name == "order_page"))
    return pieces


def _value(name: str, value: str) -> str:
    """The value without line breaks, but for those between items, and with the spaces that hold a sum together."""
    lines = value.split("\n") if name == "items" else [value]
    return "\n".join(
        "".join(
            part if part in _HOLDING_SPACES else one_line(part) for part in _AT_HOLDING_SPACES.split(line)
        )
        for line in lines
    )


def _parsed(source: str) -> list[nodes.Node]:
    """The text as Jinja reads it. Raises `TemplateSyntaxError`."""
    return [
        node
        for output in _parser.parse(source).body
        for node in (output.nodes if isinstance(output, nodes.Output) else [output])
    ]


def _checked_names(source: str, field: str) -> set[str]:
    """The placeholders of the text. Raises `InvalidInput` for `field`."""
    if single := _SINGLE.search(source):
        line = source.count("\n", 0, single.start()) + 1
        raise InvalidInput(
            f"Line {line}: write {{{{ {single[1]} }}}}, with two braces on each side.", field=field
        )
    if block := _BLOCK.search(source):
        raise _only_placeholders(source.count("\n", 0, block.start()) + 1, field)
    try:
        parsed = _parsed(source)
    except TemplateSyntaxError as error:
        raise InvalidInput(
            f"Line {error.lineno} cannot be read. A placeholder is a name between two braces on each side, such as "
            "{{ order }}.",
            field=field,
        ) from error
    except RecursionError as error:
        raise InvalidInput("The text cannot be read.", field=field) from error
    names = set()
    for node in parsed:
        if isinstance(node, nodes.TemplateData):
            continue
        if not isinstance(node, nodes.Name):
            raise _only_placeholders(node.lineno, field)
        if node.name not in PLACEHOLDERS:
            known = ", ".join(f"{{{{ {name} }}}}" for name in PLACEHOLDERS)
            raise InvalidInput(
                f"Line {node.lineno}: there is no placeholder {{{{ {node.name} }}}}. There are {known}.",
                field=field,
            )
        names.add(node.name)
    return names


def _only_placeholders(line: int, field: str) -> InvalidInput:
    return InvalidInput(
        f"Line {line}: only placeholders such as {{{{ order }}}} can be used, no conditions, filters or calculations.",
        field=field,
    )
