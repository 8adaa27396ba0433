"""Connections of stores for tests, what they are told, and their answers to actions."""

import secrets
from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

from db.connections.engine import jobs_transaction
from services.connections.answers import ActionAnswer, SettleOutcome, give_up, settle
from services.events.awaiting import mark_sent
from tests.support.factories import run

EVERYTHING = ("refunds", "subscriptions", "licences", "customers", "orders")


def connect(
    store: str,
    *,
    kind: str = "webhooks",
    topics: Iterable[str] = EVERYTHING,
    confirms: bool = False,
    out_url: str | None = "https://shop.example.com/hook",
) -> int:
    """A connection of the store, which is made when it does not exist; returns the connection's ID."""
    run("INSERT INTO checkout_page (name) VALUES (:store) ON CONFLICT DO NOTHING", store=store)
    [[connection_id]] = run(
        "INSERT INTO connection (checkout_page_id, kind, name, key, out_url, topics, confirms) "
        "SELECT id, :kind, 'A connection', :key, :out_url, :topics, :confirms FROM checkout_page WHERE name = :store "
        "RETURNING id",
        store=store,
        kind=kind,
        key=f"c_{secrets.token_urlsafe(16)}",
        out_url=out_url if kind == "webhooks" else None,
        topics=list(topics),
        confirms=confirms,
    )
    return int(connection_id)


def events(order_id: int) -> list[Any]:
    """What went out about the order, oldest first: `type`, `action_id`, `data`, and `told`, the connections."""
    return list(
        run(
            "SELECT e.type, e.action_id, e.data, array(SELECT d.connection_id FROM delivery d WHERE d.event_id = e.id "
            "ORDER BY 1) AS told FROM outbox_event e WHERE e.order_id = :id ORDER BY e.seq",
            id=order_id,
        )
    )


def awaited(order_id: int) -> Any:
    """The newest action of the order that has to be confirmed."""
    return run(
        "SELECT * FROM awaited_action WHERE order_id = :id ORDER BY recorded_at DESC LIMIT 1", id=order_id
    )[0]


def confirm(
    action_id: UUID, connection_id: int, *, amount: Decimal | None = None, external_id: str | None = None
) -> SettleOutcome:
    """The other side has done it."""
    answer = ActionAnswer(True, external_id=external_id, amount=amount)
    with jobs_transaction() as connection:
        return settle(connection, action_id, answer, from_connection_id=connection_id)


def refuse(
    action_id: UUID, connection_id: int, message: str | None = "card already refunded"
) -> SettleOutcome:
    """The other side will not do it."""
    with jobs_transaction() as connection:
        return settle(connection, action_id, ActionAnswer(False, message), from_connection_id=connection_id)


def arrive(action_id: UUID) -> bool:
    """The action's event was delivered."""
    with jobs_transaction() as connection:
        return mark_sent(connection, action_id)


def abandon(action_id: UUID, reason: str = "The shop did not answer.") -> bool:
    """The action's event could not be delivered."""
    with jobs_transaction() as connection:
        return give_up(connection, action_id, reason)
