"""A store with a Noventiq connection, and what its orders look like afterwards."""

import json
import secrets
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from db.connections.engine import viewer_transaction
from services.actions import ActionRequest, perform
from services.connections.inbox import Answer, receive
from services.delivery.incoming import INCOMING, apply_incoming
from services.privacy.erasure import erase_personal_data, preview_erasure
from tests.support import factories
from tests.support.factories import run
from tests.support.noventiq import Json, signature_of


@dataclass(frozen=True, slots=True)
class Hook:
    """The connection's address, without a web server around it."""

    connection_id: int
    key: str

    def take(self, message: Json, *, secret: str = "secret_key") -> Answer:
        """A message comes in; nothing is done about it yet."""
        headers = {"signature": signature_of(message, secret), "content-type": "application/json"}
        return receive(INCOMING, self.key, headers, json.dumps(message).encode())

    def tell(self, *messages: Json) -> list[tuple[str, str | None]]:
        """Messages come in and are carried out; the states of all that there are, with their reasons."""
        for message in messages:
            self.take(message)
        make_due()
        apply_incoming()
        return self.states()

    def states(self) -> list[tuple[str, str | None]]:
        rows = run(
            "SELECT state, reason FROM inbox WHERE connection_id = :id ORDER BY id", id=self.connection_id
        )
        return [(row.state, row.reason) for row in rows]


def make_due() -> None:
    """What waits for a later attempt has its turn now."""
    run("UPDATE inbox SET next_attempt_at = now() WHERE state = 'waiting'")


# Any: rows of the database.
def order_row(order_id: int) -> Any:
    [row] = run("SELECT * FROM orders WHERE order_id = :id", id=order_id)
    return row


def items_of(order_id: int) -> list[Any]:
    return list(run("SELECT * FROM order_item WHERE order_id = :id ORDER BY position", id=order_id))


def subscription_status(order_id: int) -> str:
    [[status]] = run("SELECT status FROM subscription WHERE order_id = :id", id=order_id)
    return str(status)


def everything_of(order_id: int) -> list[Any]:
    """What an order says, in no particular order of its items, and without the moments at which it was said."""
    facts: list[Any] = list(
        run(
            "SELECT order_name, status, created_at, paid_at, total, email, payment_method, delivered, "
            "active_subscription, cancelled_subscription FROM orders WHERE order_id = :id",
            id=order_id,
        )
    )
    facts += run(
        "SELECT product_id, sku, name, price, quantity, amount, delivered, refunded FROM order_item "
        "WHERE order_id = :id ORDER BY 1",
        id=order_id,
    )
    facts += run(
        "SELECT subscription_id, type, status FROM subscription WHERE order_id = :id ORDER BY 1", id=order_id
    )
    return facts


def erase(email: str) -> None:
    """What an administrator does about a person."""
    admin = factories.account(f"admin-{secrets.token_hex(4)}", role="administrator")
    viewer = factories.viewer(admin)
    with viewer_transaction(admin) as connection:
        expected = preview_erasure(connection, viewer, email=email).parts
    request = ActionRequest(key=uuid4(), address=None, order_id=None)
    perform(viewer, request, erase_personal_data, email=email, expected=expected)
