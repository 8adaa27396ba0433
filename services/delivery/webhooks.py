"""Events delivered to shops: signed, in the order of each order's own events, at least once under one ID.

A delivery is locked while it is under way, in a transaction that lasts as long: a worker that dies gives it back at
once, and whoever takes it up sends it again under the same ID. Failed attempts are repeated for three days and more.
"""

import json
import logging
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Select, exists, func, select, update

from db.connections.engine import jobs_transaction
from db.schema.connection_tables import awaited_action, delivery, outbox_event
from db.schema.connection_tables import connection as connection_table
from services.connections.messages import sign
from services.connections.safe_http import HttpContent, NotAllowedAddress, NotDelivered, SafeClient
from services.connections.secrets import Purpose, find_secrets

log = logging.getLogger("esupport.webhooks")

# The pauses after each failed attempt, in seconds (Standard Webhooks 1.0.0 recommends such a schedule).
PAUSES: Final = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
_JITTER: Final = 0.1
_THREADS: Final = 8
_GONE: Final = 410
_OBEYED: Final = (429, 503)
SWITCHED_OFF_BY_SHOP: Final = "The shop answered that this address is gone (410)."


class DeliveryState(StrEnum):
    """What became of a delivery."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class _Due:
    id: int
    connection_id: int
    attempts: int
    out_url: str
    event_id: UUID
    action_id: UUID
    type: str
    created_at: datetime
    data: dict[str, Any]


def deliver_due(stop: threading.Event | None = None) -> int:
    """Deliver what is due until nothing is, or `stop` is set; how many deliveries were tried.

    Several at once, since a shop that takes its time must not hold up the others.
    """
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="webhooks") as threads:
        return sum(threads.map(lambda _: _deliver_some(stop), range(_THREADS)))


def _deliver_some(stop: threading.Event | None) -> int:
    client, tried = SafeClient(), 0
    try:
        while not (stop and stop.is_set()) and deliver_next(client) is not None:
            tried += 1
    finally:
        client.close()
    return tried


def deliver_next(client: SafeClient) -> DeliveryState | None:
    """Try one delivery; None when none is due."""
    with jobs_transaction() as connection:
        row = connection.execute(_due()).one_or_none()
        if row is None:
            return None
        due = _Due(**row._mapping)
        try:
            answer = client.post(due.out_url, *_message(connection, due))
        except (NotDelivered, NotAllowedAddress) as error:
            return _postpone(connection, due, None, str(error))
        if 200 <= answer.status < 300:
            return _record_delivered(connection, due, answer)
        if answer.status == _GONE:
            _switch_off(connection, due)
        return _postpone(connection, due, answer, _answer_text(answer))


def _due() -> Select[Any]:
    earlier = delivery.alias("earlier")
    return (
        select(
            delivery.c.id,
            delivery.c.connection_id,
            delivery.c.attempts,
            connection_table.c.out_url,
            outbox_event.c.id.label("event_id"),
            outbox_event.c.action_id,
            outbox_event.c.type,
            outbox_event.c.created_at,
            outbox_event.c.data,
        )
        .join(connection_table, connection_table.c.id == delivery.c.connection_id)
        .join(outbox_event, outbox_event.c.id == delivery.c.event_id)
        .where(
            delivery.c.state == DeliveryState.WAITING,
            delivery.c.next_attempt_at <= func.now(),
            connection_table.c.switched_off_at.is_(None),
            connection_table.c.out_url.is_not(None),
            ~exists().where(
                earlier.c.state == DeliveryState.WAITING,
                earlier.c.connection_id == delivery.c.connection_id,
                earlier.c.order_id == delivery.c.order_id,
                earlier.c.seq < delivery.c.seq,
            ),
        )
        .order_by(delivery.c.next_attempt_at, delivery.c.id)
        .limit(1)
        .with_for_update(of=delivery, skip_locked=True)
    )


def _message(connection: Connection, due: _Due) -> tuple[bytes, dict[str, str]]:
    """The body, and the headers with a signature by each valid secret."""
    stamp = due.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    body = json.dumps({"type": due.type, "timestamp": stamp, "data": due.data})
    now, message_id = datetime.now(UTC), str(due.event_id)
    signatures = [
        sign(secret, message_id, now, body)
        for secret in find_secrets(connection, due.connection_id, Purpose.OUT)
    ]
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "ESupport portal",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return body.encode(), headers


def _record_delivered(connection: Connection, due: _Due, answer: HttpContent) -> DeliveryState:
    connection.execute(
        update(delivery)
        .where(delivery.c.id == due.id)
        .values(
            state=DeliveryState.DELIVERED,
            settled_at=func.now(),
            attempts=due.attempts + 1,
            last_status=answer.status,
            last_error=None,
        )
    )
    connection.execute(
        update(connection_table)
        .where(connection_table.c.id == due.connection_id)
        .values(last_delivered_at=func.now(), trouble=None, trouble_since=None)
    )
    # An answer may have been faster than we are.
    connection.execute(
        update(awaited_action)
        .where(awaited_action.c.id == due.action_id, awaited_action.c.state == "recorded")
        .values(state="sent", sent_at=func.now())
    )
    return DeliveryState.DELIVERED


def _postpone(connection: Connection, due: _Due, answer: HttpContent | None, reason: str) -> DeliveryState:
    is_last = due.attempts >= len(PAUSES)
    state = DeliveryState.FAILED if is_last else DeliveryState.WAITING
    values: dict[str, Any] = (
        {"settled_at": func.now()}
        if is_last
        else {"next_attempt_at": func.now() + _pause(due.attempts, answer)}
    )
    connection.execute(
        update(delivery)
        .where(delivery.c.id == due.id)
        .values(
            state=state,
            attempts=due.attempts + 1,
            last_status=answer.status if answer else None,
            last_error=reason[:1000],
            **values,
        )
    )
    connection.execute(
        update(connection_table)
        .where(connection_table.c.id == due.connection_id)
        .values(
            trouble=reason[:1000], trouble_since=func.coalesce(connection_table.c.trouble_since, func.now())
        )
    )
    return state


def _pause(attempts: int, answer: HttpContent | None) -> timedelta:
    seconds = PAUSES[attempts] * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - spreads, hides nothing
    if answer and answer.status in _OBEYED and answer.retry_after is not None:
        seconds = max(answer.retry_after, 1.0)
    return timedelta(seconds=seconds)


def _switch_off(connection: Connection, due: _Due) -> None:
    connection.execute(
        update(connection_table)
        .where(connection_table.c.id == due.connection_id)
        .values(switched_off_at=func.now(), switched_off_because=SWITCHED_OFF_BY_SHOP)
    )


def _answer_text(answer: HttpContent) -> str:
    return f"The shop answered {answer.status}."
