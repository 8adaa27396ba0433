"""Match the items of a newer document with the items of an order that is here already.

An item keeps its position for as long as it exists: codes, refunds, queued mails, open dialogs and sentences of the
history refer to it. An item with an id of the shop's own is matched by it; one without by what it is: product, SKU,
name, price, and among equal ones by codes, quantity, amount and, last, their order. The index in the document alone
says nothing.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from services.importing.refusals import WrongField, quote


@dataclass(frozen=True, slots=True)
class DocumentItem:
    """The features by which an item is recognised. `item_id` is None when the shop gave none."""

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
class StoredItem(DocumentItem):
    """An item of the stored order.

    `refunded_here`: the portal refunded it, so it stays the product that it was. `said_at` is the time of the latest
    document that described it; `said_alone` tells whether that document was about this item alone.
    """

    position: int
    refunded_here: bool
    said_at: datetime | None = None
    said_alone: bool = False


@dataclass(frozen=True, slots=True)
class ItemMatches:
    """`positions` of the document's items, and of the `remaining` ones: not in the document, but staying."""

    positions: tuple[int, ...]
    remaining: tuple[int, ...]


def match_items(
    stored: Sequence[StoredItem], sent: Sequence[DocumentItem], *, last_position: Callable[[], int]
) -> ItemMatches:
    """The position of each item sent.

    New items come after the result of `last_position`, the highest position that anything refers to; it is called only
    when there are new items. An item that was refunded here and is not in the document stays as it is; others go.
    Raises `WrongField` when a refunded item could be any of several items sent.
    """
    if _are_same(stored, sent):
        return ItemMatches(tuple(range(1, len(sent) + 1)), ())
    matching = _Matching(stored, sent)
    matching.by_id()
    matching.by_looks()
    positions, newest = [], 0
    for index in range(len(sent)):
        if (match := matching.matches.get(index)) is None:
            newest = (newest or last_position()) + 1
            positions.append(newest)
        else:
            positions.append(match.position)
    remaining = tuple(item.position for item in matching.unmatched if item.refunded_here)
    return ItemMatches(tuple(positions), remaining)


def match_item(
    stored: Sequence[StoredItem], sent: DocumentItem, *, last_position: Callable[[], int]
) -> ItemMatches:
    """The position of the one item that a document is about; all others stay.

    An item with an ID of the shop's own is never taken for one with another ID, however alike they look: unlike in a
    document of the whole order, the other one may be there as well. Raises `WrongField` as `match_items` does.
    """
    alike = stored
    if sent.item_id is not None:
        alike = [item for item in stored if item.item_id in (None, sent.item_id)]
        if same := [item for item in alike if item.item_id == sent.item_id]:
            alike = same
    matching = _Matching(alike, [sent])
    matching.by_id()
    matching.by_looks()
    match = matching.matches.get(0)
    position = last_position() + 1 if match is None else match.position
    remaining = tuple(item.position for item in stored if item is not match)
    return ItemMatches((position,), remaining)


def _are_same(stored: Sequence[StoredItem], sent: Sequence[DocumentItem]) -> bool:
    """The common case: the same items in the same order, no two of them alike."""
    return (
        len(stored) == len(sent)
        and all(
            old.position == position
            and _full(old) == _full(new)
            and (new.item_id == old.item_id or None in (new.item_id, old.item_id))
            for position, (old, new) in enumerate(zip(stored, sent, strict=True), 1)
        )
        and len({_full(item) for item in sent}) == len(sent)
    )


def _product(item: DocumentItem) -> Hashable:
    return (item.product_id, item.sku, item.name)


def _full(item: DocumentItem) -> Hashable:
    return (item.product_id, item.sku, item.name, item.price)


Keys = Callable[[DocumentItem], Iterable[Hashable]]


def _with_codes(identity: Callable[[DocumentItem], Hashable]) -> Keys:
    return lambda item: [(identity(item), code) for code in item.codes]


def _single(key: Callable[[DocumentItem], Hashable | None]) -> Keys:
    def keys(item: DocumentItem) -> Iterable[Hashable]:
        return () if (value := key(item)) is None else (value,)

    return keys


def _only_name(item: DocumentItem) -> Hashable | None:
    return item.name if item.product_id is None and item.sku is None else None


def _sale(item: DocumentItem) -> Hashable:
    return (item.product_id, item.sku, item.price, item.quantity, item.amount)


# From certain to likely. First the keys of equal items, then keys of stored items and of sent ones, which may differ.
_EQUAL: Final[tuple[Keys, ...]] = (
    _with_codes(_full),
    _single(lambda item: (_full(item), item.quantity, item.amount, item.refunded)),
    _single(lambda item: (_full(item), item.quantity, item.amount)),
    _single(lambda item: (_full(item), item.quantity)),
    _single(_full),
    _with_codes(_product),
)
_LIKELY: Final[tuple[tuple[Keys, Keys], ...]] = (
    (_single(_product), _single(_product)),
    (_single(lambda item: item.product_id), _single(lambda item: item.product_id)),
    (_single(lambda item: item.sku if item.product_id is None else None), _single(lambda item: item.sku)),
    (_single(lambda item: item.sku), _single(lambda item: item.sku if item.product_id is None else None)),
    (_single(_only_name), _single(lambda item: item.name)),
    (_single(lambda item: item.name), _single(_only_name)),
    # A person's name was taken out of it.
    (_single(lambda item: _sale(item) if "deleted" in item.name else None), _single(_sale)),
)


class _Matching:
    """The state of one matching: `matches` by index in the document, and the stored items that are still unmatched."""

    def __init__(self, stored: Sequence[StoredItem], sent: Sequence[DocumentItem]) -> None:
        self._sent = sent
        self._highest = max([len(sent), *(item.position for item in stored)])
        self._unmatched = {item.position: item for item in stored}
        self.matches: dict[int, StoredItem] = {}

    @property
    def unmatched(self) -> Iterable[StoredItem]:
        return self._unmatched.values()

    def _open_indexes(self) -> list[int]:
        return [index for index in range(len(self._sent)) if index not in self.matches]

    def _pair(self, index: int, item: StoredItem) -> None:
        self.matches[index] = item
        del self._unmatched[item.position]

    def _has_own_id(self, item: DocumentItem) -> bool:
        """Whether the shop gave the item an id that is more than its position.

        Version 0.1.0 stored the position as the id of an item that had none, and some shops number their items: such an
        id counts only when the items are alike in other respects.
        """
        item_id = item.item_id
        if item_id is None:
            return False
        return not (
            item_id.isascii() and item_id.isdigit() and len(item_id) < 7 and int(item_id) <= self._highest
        )

    def by_id(self) -> None:
        by_id = {item.item_id: item for item in self._unmatched.values() if item.item_id is not None}
        for index, item in enumerate(self._sent):
            stored = None if item.item_id is None else by_id.get(item.item_id)
            if stored is None:
                continue
            # The id of a refunded item may name another product now; then the two are kept apart.
            must_be_alike = stored.refunded_here or not self._has_own_id(item)
            if not (must_be_alike and _is_other_product(stored, item)):
                self._pair(index, stored)

    def by_looks(self) -> None:
        for keys in _EQUAL:
            if not self._unmatched:
                return
            self._match(keys, keys, is_equal=True)
        for stored_keys, sent_keys in _LIKELY:
            if self._unmatched and len(self.matches) < len(self._sent):
                self._match(stored_keys, sent_keys, is_equal=False)

    def _match(self, stored_keys: Keys, sent_keys: Keys, *, is_equal: bool) -> None:
        """Pair items that share a key; those without an id of their own come first."""
        stored: defaultdict[Hashable, tuple[deque[StoredItem], deque[StoredItem]]] = defaultdict(
            lambda: (deque(), deque())
        )
        for item in self._unmatched.values():
            for key in stored_keys(item):
                stored[key][self._has_own_id(item)].append(item)
        indexes: defaultdict[Hashable, list[int]] = defaultdict(list)
        for index in self._open_indexes():
            for key in sent_keys(self._sent[index]):
                if key in stored:
                    indexes[key].append(index)
        for key, candidates in indexes.items():
            if not is_equal:
                self._refuse_ambiguous(stored[key], candidates)
            for index in candidates:
                if index not in self.matches and (match := self._first(stored[key], self._sent[index])):
                    self._pair(index, match)

    def _first(
        self, stored: tuple[deque[StoredItem], deque[StoredItem]], sent: DocumentItem
    ) -> StoredItem | None:
        # Two different ids of the shop's own are two different items, however alike they look.
        for queue in stored[:1] if self._has_own_id(sent) else stored:
            while queue:
                if (item := queue.popleft()).position in self._unmatched:
                    return item
        return None

    def _refuse_ambiguous(
        self, stored: tuple[deque[StoredItem], deque[StoredItem]], indexes: list[int]
    ) -> None:
        """Raise `WrongField` when a refunded item could be any of several items sent, or one sent any of several."""
        candidates = [item for queue in stored for item in queue if item.position in self._unmatched]
        open_indexes = [index for index in indexes if index not in self.matches]
        refunded = [item for item in candidates if item.refunded_here]
        if not refunded or not open_indexes or len(candidates) == len(open_indexes) == len(refunded):
            return
        if len(candidates) > 1 or len(open_indexes) > 1:
            first = refunded[0]
            raise WrongField(
                f"items[{open_indexes[0]}].item_id",
                f"It cannot be told whether this line is item {first.position}, {quote(first.name)}, "
                "which was refunded. Its item_id is needed, or its product, SKU, name and price as they were.",
            )


def _is_other_product(stored: DocumentItem, sent: DocumentItem) -> bool:
    if stored.product_id is not None and sent.product_id is not None:
        return stored.product_id != sent.product_id
    if stored.sku is not None and sent.sku is not None:
        return stored.sku != sent.sku
    return stored.name != sent.name
