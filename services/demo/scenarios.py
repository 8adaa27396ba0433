"""The scenarios of demo orders, and the time at which each was created."""

import random
from datetime import datetime, timedelta
from typing import Final

from services.demo.vocabulary import COUNTRIES

STORES: Final = tuple(COUNTRIES)
DAYS: Final = 400

# What one order is about. "parent"/"child" pairs are a round apart, "typo" pairs follow one another.
SCENARIOS: Final = tuple(
    [
        "plain",
        "plain",
        "several",
        "company",
        "not-delivered",
        "partly",
        "unpaid",
        "unpaid-parent",
        "cancelled",
        "terminated",
        "ar-active",
        "ar-cancelled",
        "ar-parent",
        "ar-child",
        "ar-unpaid-parent",
        "ar-unpaid-child",
        "pmr-active",
        "pmr-cancelled",
        "other-renewal",
        "typo-first",
        "typo-second",
        "erased",
        "user-erased",
        "no-email",
        "refund-requested",
        "refund-updating",
        "refund-partial",
        "refund-full",
        "refund-refused",
        "refund-failed",
        "free",
        "mail-error",
        "documents",
        "many-codes",
        "physical",
        "nameless",
        "own-page",
        "no-codes",
    ]
)
ROUND: Final = len(STORES) * len(SCENARIOS)
PAIRS: Final = {"ar-parent": "ar-child", "ar-unpaid-parent": "ar-unpaid-child"}
UNPAID: Final = ("unpaid", "unpaid-parent", "cancelled", "ar-unpaid-child")
# Delivered is what reached the customer: not where the mail came back, or where there is no address for it.
UNDELIVERED: Final = (*UNPAID, "not-delivered", "no-codes", "mail-error", "no-email")


def scenario_of(index: int) -> str:
    return SCENARIOS[index // len(STORES) % len(SCENARIOS)]


def random_of(seed: int, index: int) -> random.Random:
    """A generator of its own for each order: a longer demo begins with other times, but the same people."""
    return random.Random(f"{seed} {index}")  # noqa: S311 - variety, not secrecy


def created_and_paid(seed: int, index: int, count: int, end: datetime) -> tuple[datetime, datetime]:
    """When the order was made, and when it was paid if it was; the same for whichever order asks."""
    rng = random_of(seed, index)
    if scenario_of(index) == "typo-second":
        # Bought from the thank-you page of the first.
        _, thanked = created_and_paid(seed, index - len(STORES), count, end)
        created = min(thanked + timedelta(minutes=rng.randint(1, 9)), end - timedelta(seconds=2))
    else:
        step = timedelta(days=DAYS) / max(count, 1)
        created = end - step * (count - index) + step * (rng.random() * 0.9)
    created = created.replace(microsecond=0)
    return created, min(created + timedelta(minutes=rng.randint(1, 90)), end - timedelta(seconds=1))
