"""The readings that the pieces of a text allow together, the likeliest first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.orders.filters import InvalidSearch, SearchInput, parse_filter
from services.recognition.pieces import Kind, Meaning, Piece

# Rival readings that are made and counted at most.
MOST: Final = 8
_WIDTH: Final = 48
_CONFLICT: Final = 20
_UTC: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Reading:
    """A search that a text can mean: the form, filled in.

    `pieces` are the parts of the text that filled it, `unplaced` those that no field takes. A `literal` reading puts
    the whole text into a single field, whatever it looks like.
    """

    typed: SearchInput
    pieces: tuple[str, ...] = ()
    unplaced: tuple[str, ...] = ()
    literal: bool = False


@dataclass(frozen=True, slots=True)
class _State:
    rank: int = 0
    fields: Mapping[str, object] = field(default_factory=dict)
    pieces: tuple[str, ...] = ()
    unplaced: tuple[str, ...] = ()


def readings_of(pieces: Iterable[Piece], today: date, rank: int = 0) -> list[tuple[int, Reading]]:
    """The readings of these pieces with their ranks; of two pieces that want the same field, one cannot be placed."""
    states = [_State(rank)]
    for piece in _with_payment(_as_list(list(pieces))):
        states = sorted((new for state in states for new in _with(state, piece)), key=lambda s: s.rank)[
            :_WIDTH
        ]
    return [
        (state.rank, Reading(typed, state.pieces, state.unplaced))
        for state in states
        if state.fields and (typed := checked(state.fields, today)) is not None
    ]


def checked(fields: Mapping[str, object], today: date | None = None) -> SearchInput | None:
    """The form with these fields, unless it would be refused. Periods are counted from `today`."""
    values: dict[str, Any] = dict(fields)  # Any: each field has a type of its own
    try:
        return parse_filter(SearchInput(**values), zone=_UTC, today=today).typed
    except InvalidSearch:
        return None


def _with(state: _State, piece: Piece) -> list[_State]:
    placed = [
        _State(
            state.rank + meaning.rank,
            fields,
            (*state.pieces, piece.text),
            state.unplaced,
        )
        for meaning in piece.meanings
        if (fields := _merged(state.fields, meaning.fields)) is not None
    ]
    if placed:
        return placed
    rank = state.rank + (_CONFLICT if piece.meanings else 0)
    return [replace(state, rank=rank, unplaced=(*state.unplaced, piece.text))]


def _merged(fields: Mapping[str, object], more: Mapping[str, object]) -> Mapping[str, object] | None:
    """Both together; None when they contradict each other."""
    merged = dict(fields)
    for name, value in more.items():
        earlier = merged.get(name)
        if earlier is None or earlier == value:
            merged[name] = value
        elif name == "order_ids":
            merged[name] = f"{earlier} {value}"
        elif isinstance(earlier, frozenset) and isinstance(value, frozenset):
            merged[name] = earlier | value
        elif isinstance(earlier, tuple) and isinstance(value, tuple):
            merged[name] = tuple(dict.fromkeys((*earlier, *value)))
        else:
            return None
    return None if _crosses(fields, more) else merged


def _crosses(fields: Mapping[str, object], more: Mapping[str, object]) -> bool:
    """Whether both say something about the same date, other than its first and its last day apart."""
    for prefix in ("created", "paid"):
        names = {f"{prefix}_from", f"{prefix}_to"}
        earlier, later = names & fields.keys(), names & more.keys()
        if earlier and later and (earlier & later or len(earlier) > 1 or len(later) > 1):
            is_same = all(fields.get(name) == more.get(name) for name in names)
            if not is_same:
                return True
    return False


def _as_list(pieces: list[Piece]) -> list[Piece]:
    """Several numbers side by side are orders rather than a card and an order."""
    numbers = [p for p in pieces if not p.labelled and _may_be_order(p)]
    if len(numbers) < 2:
        return pieces
    return [replace(p, meanings=tuple(map(_order_first, p.meanings))) if p in numbers else p for p in pieces]


def _may_be_order(piece: Piece) -> bool:
    """Whether a number can be an order and is not likelier to be part of a code."""
    likeliest = min(piece.meanings, key=lambda meaning: meaning.rank, default=Meaning({}))
    return "activation_code" not in likeliest.fields and any("order_ids" in m.fields for m in piece.meanings)


def _order_first(meaning: Meaning) -> Meaning:
    return Meaning(meaning.fields, 0 if "order_ids" in meaning.fields else meaning.rank + 2)


def _with_payment(pieces: list[Piece]) -> list[Piece]:
    """ "Paid" beside a period without a label of its own says which date it is: "Köhler paid last month".

    The status *Paid* with the creation date comes second, where the word is apart from the period.
    """
    paid = [p for p in pieces if p.kind is Kind.STATUS and _is_paid(p)]
    periods = [p for p in pieces if p.kind is Kind.PERIOD and not p.labelled]
    has_label = any(p.kind is Kind.PERIOD and p.labelled for p in pieces)
    if len(paid) != 1 or len(periods) != 1 or has_label:
        return pieces
    status, period = paid[0], periods[0]
    own = [Meaning(_paid_days(m.fields), m.rank) for m in period.meanings]
    other = [Meaning({**m.fields, **status.meanings[0].fields}, m.rank + 2) for m in period.meanings]
    first, last = sorted((status, period), key=lambda p: p.positions)
    both = Piece(
        f"{first.text} {last.text}",
        (*first.positions, *last.positions),
        (*own, *other),
        Kind.PERIOD,
        labelled=True,
    )
    return [both if p is period else p for p in pieces if p is not status]


def _is_paid(piece: Piece) -> bool:
    statuses = piece.meanings[0].fields.get("statuses") if piece.meanings else None
    return isinstance(statuses, frozenset) and {str(status) for status in statuses} == {"paid"}


def _paid_days(fields: Mapping[str, object]) -> dict[str, object]:
    return {name.replace("created_", "paid_"): value for name, value in fields.items()}
