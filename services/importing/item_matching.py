"""Which line of a newer document is which item of an order that is here already.

An item keeps its position for as long as it exists: codes, refunds, mails on their way, open dialogs and sentences of
the history refer to it. A line with an id of the shop's own is matched by it; a line without one by what it is:
product, SKU, name, price, and among equal lines by codes, quantity, amount and, last, their order. A place alone
says nothing.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from services.importing.fields import WrongField, quote


@dataclass(frozen=True, slots=True)
class Line:
    """What an item is known by. `item_id` is None when the shop gave none."""

    item_id: str | None
    product_id: str | None
    sku: str | None
    name: str
    price: Decimal
    quantity: int
    amount: Decimal
    refunded: bool
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredLine(Line):
    """An item that is here. `refunded_here`: the portal refunded it, so it stays the product that it was."""

    position: int
    refunded_here: bool


@dataclass(frozen=True, slots=True)
class Matched:
    """`positions` of the document's lines, and those of items that stay although the document has them no more."""

    positions: tuple[int, ...]
    kept: tuple[int, ...]


def match_lines(
    stored: Sequence[StoredLine], sent: Sequence[Line], *, last_position: Callable[[], int]
) -> Matched:
    """The position of each line sent. New lines come after `last_position`, the highest that anything refers to;
    it is only asked for when there are some.

    An item that was refunded here and is not in the document stays as it is; others go. Raises `WrongField` when a
    refunded item could be one of several lines.
    """
    if _are_same(stored, sent):
        return Matched(tuple(range(1, len(sent) + 1)), ())
    matching = _Matching(stored, sent)
    matching.by_id()
    matching.by_looks()
    positions, following = [], 0
    for place in range(len(sent)):
        if (found := matching.found.get(place)) is None:
            following = (following or last_position()) + 1
            positions.append(following)
        else:
            positions.append(found.position)
    kept = tuple(line.position for line in matching.free if line.refunded_here)
    return Matched(tuple(positions), kept)


def _are_same(stored: Sequence[StoredLine], sent: Sequence[Line]) -> bool:
    """The common case: the same lines in the same order, no two of them alike."""
    return (
        len(stored) == len(sent)
        and all(
            there.position == place
            and _full(there) == _full(line)
            and (line.item_id == there.item_id or None in (line.item_id, there.item_id))
            for place, (there, line) in enumerate(zip(stored, sent, strict=True), 1)
        )
        and len({_full(line) for line in sent}) == len(sent)
    )


def _product(line: Line) -> Hashable:
    return (line.product_id, line.sku, line.name)


def _full(line: Line) -> Hashable:
    return (line.product_id, line.sku, line.name, line.price)


Keys = Callable[[Line], Iterable[Hashable]]


def _with_codes(identity: Callable[[Line], Hashable]) -> Keys:
    return lambda line: [(identity(line), code) for code in line.codes]


def _one(key: Callable[[Line], Hashable | None]) -> Keys:
    def keys(line: Line) -> Iterable[Hashable]:
        return () if (value := key(line)) is None else (value,)

    return keys


def _nameless(line: Line) -> Hashable | None:
    return line.name if line.product_id is None and line.sku is None else None


def _sold(line: Line) -> Hashable:
    return (line.product_id, line.sku, line.price, line.quantity, line.amount)


# From what leaves no doubt to what is only likely: (keys of an item, keys of a line, whether the line is equal).
_EQUAL: Final[tuple[Keys, ...]] = (
    _with_codes(_full),
    _one(lambda line: (_full(line), line.quantity, line.amount, line.refunded)),
    _one(lambda line: (_full(line), line.quantity, line.amount)),
    _one(lambda line: (_full(line), line.quantity)),
    _one(_full),
    _with_codes(_product),
)
_LIKELY: Final[tuple[tuple[Keys, Keys], ...]] = (
    (_one(_product), _one(_product)),
    (_one(lambda line: line.product_id), _one(lambda line: line.product_id)),
    (_one(lambda line: line.sku if line.product_id is None else None), _one(lambda line: line.sku)),
    (_one(lambda line: line.sku), _one(lambda line: line.sku if line.product_id is None else None)),
    (_one(_nameless), _one(lambda line: line.name)),
    (_one(lambda line: line.name), _one(_nameless)),
    # A person's name was taken out of it.
    (_one(lambda line: _sold(line) if "deleted" in line.name else None), _one(lambda line: _sold(line))),
)


class _Matching:
    def __init__(self, stored: Sequence[StoredLine], sent: Sequence[Line]) -> None:
        self._sent = sent
        self._most = max([len(sent), *(line.position for line in stored)])
        self._free = {line.position: line for line in stored}
        self.found: dict[int, StoredLine] = {}

    @property
    def free(self) -> Iterable[StoredLine]:
        return self._free.values()

    def _open(self) -> list[int]:
        return [place for place in range(len(self._sent)) if place not in self.found]

    def _pair(self, place: int, line: StoredLine) -> None:
        self.found[place] = line
        del self._free[line.position]

    def _has_own_id(self, line: Line) -> bool:
        """Whether the shop gave the item an id that is more than its place.

        Version 0.1.0 stored the place as the id of a line that had none, and some shops count their lines: such an id
        is believed only when the lines are alike besides.
        """
        item_id = line.item_id
        if item_id is None:
            return False
        return not (
            item_id.isascii() and item_id.isdigit() and len(item_id) < 7 and int(item_id) <= self._most
        )

    def by_id(self) -> None:
        by_id = {line.item_id: line for line in self._free.values() if line.item_id is not None}
        for place, line in enumerate(self._sent):
            there = None if line.item_id is None else by_id.get(line.item_id)
            if there is None:
                continue
            if self._has_own_id(line):
                # The id of a refunded item names another product now: the two are kept apart.
                believed = not (there.refunded_here and _is_other_product(there, line))
            else:
                believed = not _is_other_product(there, line)
            if believed:
                self._pair(place, there)

    def by_looks(self) -> None:
        for keys in _EQUAL:
            if not self._free:
                return
            self._stage(keys, keys, is_equal=True)
        for of_item, of_line in _LIKELY:
            if self._free and len(self.found) < len(self._sent):
                self._stage(of_item, of_line, is_equal=False)

    def _stage(self, of_item: Keys, of_line: Keys, *, is_equal: bool) -> None:
        items: defaultdict[Hashable, tuple[deque[StoredLine], deque[StoredLine]]] = defaultdict(
            lambda: (deque(), deque())
        )
        for line in self._free.values():
            for key in of_item(line):
                items[key][self._has_own_id(line)].append(line)
        places: defaultdict[Hashable, list[int]] = defaultdict(list)
        for place in self._open():
            for key in of_line(self._sent[place]):
                if key in items:
                    places[key].append(place)
        for key, wanted in places.items():
            if not is_equal:
                self._check(items[key], wanted)
            for place in wanted:
                if place not in self.found and (there := self._first(items[key], self._sent[place])):
                    self._pair(place, there)

    def _first(self, items: tuple[deque[StoredLine], deque[StoredLine]], line: Line) -> StoredLine | None:
        # Two different ids of the shop's own are two different items, however alike they look.
        for group in items[:1] if self._has_own_id(line) else items:
            while group:
                if (there := group.popleft()).position in self._free:
                    return there
        return None

    def _check(self, items: tuple[deque[StoredLine], deque[StoredLine]], wanted: list[int]) -> None:
        """That no refunded item could be one of several lines, nor one line one of several items."""
        there = [line for group in items for line in group if line.position in self._free]
        open_places = [place for place in wanted if place not in self.found]
        refunded = [line for line in there if line.refunded_here]
        if not refunded or not open_places or len(there) == len(open_places) == len(refunded):
            return
        if len(there) > 1 or len(open_places) > 1:
            first = refunded[0]
            raise WrongField(
                f"items[{open_places[0]}].item_id",
                f"It cannot be told whether this line is item {first.position}, {quote(first.name)}, "
                "which was refunded. Its item_id is needed, or its product, SKU, name and price as they were.",
            )


def _is_other_product(there: StoredLine, line: Line) -> bool:
    if there.product_id is not None and line.product_id is not None:
        return there.product_id != line.product_id
    if there.sku is not None and line.sku is not None:
        return there.sku != line.sku
    return there.name != line.name
