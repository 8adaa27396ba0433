"""The pretended Stripe of tests/support/stripe_provider.py: started, and told what to do."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.stripe_provider import Json

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class StripeProvider:
    """The running provider as tests speak to it: beside Stripe's protocol, by a path of its own."""

    base: str

    def _tell(self, path: str, **wish: Any) -> Json:
        request = urllib.request.Request(f"{self.base}/_test/{path}", json.dumps(wish).encode())
        with urllib.request.urlopen(request, timeout=10) as response:
            answer: Json = json.load(response)
        return answer

    def add_payment(self, reference: str, amount: int, currency: str = "eur") -> None:
        """`reference` is a payment intent (`pi_…`) or a charge (`ch_…`); `amount` in minor units."""
        name = "payment_intent" if reference.startswith("pi_") else "charge"
        self._tell("payments", **{name: reference}, amount=amount, currency=currency)

    def meet(self, *troubles: str) -> None:
        """What the next requests for a refund meet."""
        self._tell("set", troubles=troubles)

    def set(self, **values: Any) -> None:
        self._tell("set", **values)

    def forget_keys(self) -> None:
        """What happens to idempotency keys after a day."""
        self._tell("forget")

    @property
    def refunds(self) -> list[Json]:
        return list(self._tell("")["refunds"])

    @property
    def requests(self) -> list[Json]:
        return list(self._tell("")["requests"])

    def change(self, refund_id: str, status: str, *, kind: str = "refund.updated", **values: Any) -> Json:
        """Let a refund come to its end; returns the signed event: `body` and `signature`."""
        return self._tell("change", id=refund_id, type=kind, values={"status": status} | values)


@contextmanager
def stripe_provider() -> Iterator[StripeProvider]:
    """A provider that knows nothing yet, at a port of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.stripe_provider"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    try:
        yield StripeProvider(f"http://127.0.0.1:{int(process.stdout.readline())}")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
