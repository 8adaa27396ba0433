"""Connections of stores for tests, and messages as a shop sends them: signed, with an ID."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from secrets import token_urlsafe
from typing import Any

from sqlalchemy import text

from db.connections.engine import jobs_transaction
from db.schema.connection_states import Purpose
from services.connections.inbox import Answer, receive
from services.connections.messages import sign
from services.connections.secrets import add_secret, new_secret
from services.delivery.incoming import INCOMING
from tests.support.factories import run

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Shop:
    """A connection as the shop knows it."""

    id: int
    key: str
    secret: str

    def headers(
        self, body: bytes, message_id: str, *, at: datetime | None = None, secret: str | None = None
    ) -> dict[str, str]:
        at = at or datetime.now(UTC)
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": sign(secret or self.secret, message_id, at, body.decode()),
            "content-type": "application/json",
        }

    def send_bytes(self, body: bytes, message_id: str | None = None) -> Answer:
        message_id = message_id or f"msg_{next(_numbers)}"
        return receive(INCOMING, self.key, self.headers(body, message_id), body)

    def send(self, kind: str, data: Any, message_id: str | None = None) -> Answer:
        return self.send_bytes(body_of(kind, data), message_id)


def body_of(kind: str, data: Any) -> bytes:
    return json.dumps({"type": kind, "timestamp": "2026-11-24T10:00:00Z", "data": data}).encode()


def connect(store: str = "shop-a", *, kind: str = "webhooks", secret: str | None = None) -> Shop:
    """A new connection of this store, which is made if need be."""
    secret = secret or new_secret()
    key = f"c_{token_urlsafe(16)}"
    with jobs_transaction() as connection:
        connection.execute(
            text("INSERT INTO checkout_page (name) VALUES (:store) ON CONFLICT DO NOTHING"), {"store": store}
        )
        connection_id: int = connection.execute(
            text(
                "INSERT INTO connection (checkout_page_id, kind, name, key) "
                "SELECT id, :kind, 'The shop', :key FROM checkout_page WHERE name = :store RETURNING id"
            ),
            {"store": store, "kind": kind, "key": key},
        ).scalar_one()
        add_secret(connection, connection_id, Purpose.IN, secret)
    return Shop(connection_id, key, secret)


def inbox(columns: str = "event_id, state, field, reason") -> list[tuple[Any, ...]]:
    return [tuple(row) for row in run(f"SELECT {columns} FROM inbox ORDER BY id")]


def states() -> list[str]:
    return [state for (state,) in inbox("state")]
