"""Orders that were paid through Stripe, and what became of their refunds."""

import json
from typing import Any
from uuid import uuid4

from services.connections.inbox import receive
from services.delivery.dispatching import deliver_due
from services.delivery.incoming import INCOMING, apply_incoming
from tests.services.refunds.support import fulfil, requested, result, state
from tests.support import factories
from tests.support.connected import awaited
from tests.support.factories import history, mails, run
from tests.support.stripe_control import StripeProvider

SUM = 10_00
UPDATING = ("paid", "updating")


def set_options(connection_id: int, **options: Any) -> None:
    run(
        "UPDATE connection SET options = CAST(:o AS jsonb) WHERE id = :i",
        o=json.dumps(options),
        i=connection_id,
    )


class Sale:
    """An order that was paid through Stripe, and a request for its refund that Rita has taken."""

    def __init__(self, people: dict[str, int], provider: StripeProvider) -> None:
        self.people, self.provider = people, provider
        self.reference = f"pi_{uuid4().hex}"
        provider.add_payment(self.reference, SUM)
        made = factories.document(payment={"provider": "stripe", "reference": self.reference})
        factories.take_in(made)
        self.order_id = int(made["order_id"])
        self.order_name = str(made["order_name"])
        self.request_id = requested(people, self.order_id, taken_by="rita")

    def fulfil(self) -> str:
        return fulfil(self.people, self.request_id)

    @property
    def refunds(self) -> list[dict[str, Any]]:
        return [one for one in self.provider.refunds if one["payment_intent"] == self.reference]

    @property
    def mails(self) -> list[str]:
        """The last words of what the requester was told."""
        return [mail.text_body.split("result: ")[1].split("\n")[0] for mail in mails(self.order_id)]

    @property
    def action(self) -> str:
        return str(awaited(self.order_id).state)

    def send_again(self) -> None:
        """As if the pause until the next attempt were over."""
        run(
            "UPDATE delivery SET next_attempt_at = now() WHERE order_id = :id AND state = 'waiting'",
            id=self.order_id,
        )
        run("UPDATE connection SET paused_until = NULL")
        deliver_due()

    def was_paid_back(self) -> bool:
        """Once, and everybody was told so."""
        assert [refund["status"] for refund in self.refunds] == ["succeeded"]
        assert self.action == "confirmed"
        assert state(self.order_id) == ("deleted", "completed")
        assert result(self.request_id)[:2] == ("completed", "full")
        assert self.mails == ["full refund completed"]
        return True

    def was_not_paid_back(self, message: str) -> bool:
        assert self.action == "refused"
        assert state(self.order_id) == ("paid", "refused")
        assert result(self.request_id)[:2] == ("refused", "failed")
        assert self.mails == ["refund failed"]
        assert any(message in line for line in history(self.order_id))
        return True


def hear(connection_id: int, message: dict[str, Any]) -> int:
    """Stripe's message arrives, and the worker sees to it; the status that Stripe is told."""
    [[key]] = run("SELECT key FROM connection WHERE id = :id", id=connection_id)
    answer = receive(INCOMING, key, {"stripe-signature": message["signature"]}, message["body"].encode())
    apply_incoming()
    return answer.status
