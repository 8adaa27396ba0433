"""The pieces of a text, and what each can mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """The kind of a piece; it decides which pieces say something about each other."""

    VALUE = auto()
    PERIOD = auto()
    STATUS = auto()
    NAME = auto()
    UNPLACED = auto()


@dataclass(frozen=True, slots=True)
class Meaning:
    """One way to read a piece: fields of the form and their values. The likeliest has the lowest rank."""

    fields: Mapping[str, object]
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a text as it was typed: `positions` are the tokens that it is made of, in their order.

    A piece without meanings could not be placed. A `labelled` period says itself which of the dates it is.
    """

    text: str
    positions: tuple[int, ...]
    meanings: tuple[Meaning, ...] = ()
    kind: Kind = Kind.VALUE
    labelled: bool = False
