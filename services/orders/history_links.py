"""Links to orders: order IDs in the text of a history."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

# An order name such as A0012345678, or a bare number that is long enough to be one.
_CANDIDATE = re.compile(r"(?<![\w.@-])([A-Za-z]{0,3}0*([0-9]{4,19}))(?![\w@-]|\.\w)", re.ASCII)


@dataclass(frozen=True, slots=True)
class TextPart:
    """A piece of text; with `order_id` it names an order that the viewer may open."""

    text: str
    order_id: int | None = None


def mentioned_orders(texts: Iterable[str]) -> set[int]:
    """The numbers in these texts that may be order IDs, whether or not the viewer may see the orders."""
    return {int(match[2]) for text in texts for match in _CANDIDATE.finditer(text) if int(match[2]) < 2**63}


def split_text(text: str, names: dict[int, str]) -> tuple[TextPart, ...]:
    """The parts of a text; `names` holds the orders (ID to name) that may become links.

    A bare number counts as the order's ID, one with letters before it only when it is the order's name.
    """
    parts: list[TextPart] = []
    end = 0
    for match in _CANDIDATE.finditer(text):
        order_id = int(match[2])
        if order_id not in names or (match[1][0].isalpha() and match[1].upper() != names[order_id].upper()):
            continue
        if match.start() > end:
            parts.append(TextPart(text[end : match.start()]))
        parts.append(TextPart(match[1], order_id))
        end = match.end()
    if end < len(text) or not parts:
        parts.append(TextPart(text[end:]))
    return tuple(parts)
