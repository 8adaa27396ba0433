"""A demo order in the making: its scenario, its times and its history so far."""

from datetime import datetime, timedelta
from typing import Any

from services.demo.scenarios import PAIRS, ROUND, STORES, UNPAID, created_and_paid, random_of, scenario_of
from services.demo.vocabulary import COUNTRIES, Country

Document = dict[str, Any]  # JSON: a value is of any type that JSON has


class OrderDraft:
    """The facts that the parts of one order's document share, and the random numbers that they draw in turn.

    The parts draw from one generator, so their sequence in `services.demo.orders` decides what an order holds.
    """

    def __init__(self, index: int, count: int, seed: int, end: datetime) -> None:
        self.index = index
        self.count = count
        self.seed = seed
        self.end = end
        self.rng = random_of(seed, index)
        self.created, self.paid = created_and_paid(seed, index, count, end)
        self.store = STORES[index % len(STORES)]
        self.scenario = scenario_of(index)
        self.country: Country = self.rng.choice(COUNTRIES[self.store])
        self.is_paid = self.scenario not in UNPAID
        self.history: list[Document] = []
        # A refund takes 38 hours, or as long as there has been since the payment.
        took = min(timedelta(hours=38), (end - self.paid) * 0.9)
        self.requested, self.taken, self.closed = (
            (self.paid + took * part / 38).replace(microsecond=0) for part in (30, 35, 38)
        )

    def order_id(self, index: int) -> int:
        return 12_345_678 + (self.seed - 1) * 100_000_000 % 10**15 + index

    def order_name(self, index: int) -> str:
        return f"A{self.order_id(index):010}"

    def created_of(self, index: int) -> datetime:
        return created_and_paid(self.seed, index, self.count, self.end)[0]

    def parent(self) -> int | None:
        parent = self.index - ROUND - len(STORES)
        return parent if self.scenario in PAIRS.values() and parent >= 0 else None

    def child(self) -> int | None:
        """The renewal of this order: a round and one scenario later, if the demo reaches so far."""
        child = self.index + ROUND + len(STORES)
        return child if self.scenario in PAIRS and child < self.count else None

    def digits(self, pattern: str) -> str:
        return "".join(str(self.rng.randint(0, 9)) if c == "#" else c for c in pattern)

    def add_line(self, at: datetime, kind: str, text: str) -> None:
        self.history.append({"date": min(at, self.end).isoformat(), "kind": kind, "text": text})
