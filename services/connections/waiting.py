"""The messages of the inbox whose turn it is: claimed by a worker, and settled by it."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import (
    BigInteger,
    Connection,
    all_,
    and_,
    any_,
    bindparam,
    exists,
    func,
    not_,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import Float, Text

from db.errors import SqlState, sqlstate
from db.schema.connection_states import ConnectionKind, InboxState
from db.schema.connection_tables import connection as connection_table
from db.schema.connection_tables import inbox
from db.schema.order_tables import checkout_page
from services.connections.inbox import storable
from services.connections.incoming import Outcome, WaitingMessage
from services.connections.messages import MessageType

_MOST_BYTES: Final = 16 * 1024 * 1024
_LONGEST_FIELD: Final = 300
_LONGEST_REASON: Final = 1000


def _is_document() -> ColumnElement[bool]:
    is_shops = or_(connection_table.c.kind.is_(None), connection_table.c.kind == ConnectionKind.WEBHOOKS)
    return and_(inbox.c.type.in_([MessageType.ORDER, MessageType.ITEM]), is_shops)


def claim_documents(connection: Connection, most: int) -> list[WaitingMessage]:
    """Messages of shops with order documents, at most so many and of a few megabytes, locked: of each order the first,
    and then those that follow it without a gap."""
    due = connection.execute(_DUE_DOCUMENTS.limit(most)).all()
    sizes = {row.id: row.size for row in due}
    if due and len(due) < most:
        orders = [row.order_id for row in due if row.order_id is not None]
        sizes |= _claim_following(connection, orders, list(sizes), most - len(due))
    ids: list[int] = []
    total = 0
    for message_id, size in sizes.items():
        total += size
        if ids and total > _MOST_BYTES:
            break
        ids.append(message_id)
    return _read(connection, ids)


def _claim_following(
    connection: Connection, orders: list[int], claimed: list[int], most: int
) -> dict[int, int]:
    """The sizes of later messages of these orders, by their IDs, oldest first.

    Nobody else can have claimed one: each waits for the first of its order.
    """
    try:
        with connection.begin_nested():
            following = connection.execute(
                _FOLLOWING.limit(most), {"orders": orders, "claimed": claimed}
            ).all()
    except OperationalError as error:
        # An erasure or an administrator is changing some of them.
        if sqlstate(error) != SqlState.LOCK_NOT_AVAILABLE:
            raise
        return {}
    barred: set[int] = set()
    sizes = {}
    for row in following:
        if row.is_able and row.order_id not in barred:
            sizes[row.id] = row.size
        else:
            barred.add(row.order_id)
    return sizes


def claim_other(connection: Connection) -> WaitingMessage | None:
    """The oldest other message whose turn it is, locked."""
    claimed = connection.execute(_DUE_OTHERS.limit(1)).all()
    messages = _read(connection, [row.id for row in claimed])
    return messages[0] if messages else None


_earlier = inbox.alias("earlier")
_DUE: Final = (
    select(inbox.c.id, inbox.c.order_id, func.coalesce(func.octet_length(inbox.c.body), 0).label("size"))
    .select_from(inbox.outerjoin(connection_table, connection_table.c.id == inbox.c.connection_id))
    .where(
        inbox.c.state == InboxState.WAITING,
        inbox.c.next_attempt_at <= func.now(),
        ~exists().where(
            _earlier.c.state == InboxState.WAITING,
            _earlier.c.order_id == inbox.c.order_id,
            _earlier.c.id < inbox.c.id,
        ),
    )
    .order_by(inbox.c.id)
    .with_for_update(of=inbox, skip_locked=True)
)
_DUE_DOCUMENTS: Final = _DUE.where(_is_document())
_DUE_OTHERS: Final = _DUE.where(not_(_is_document()))
_FOLLOWING: Final = (
    select(
        inbox.c.id,
        inbox.c.order_id,
        func.coalesce(func.octet_length(inbox.c.body), 0).label("size"),
        (_is_document() & (inbox.c.next_attempt_at <= func.now())).label("is_able"),
    )
    .select_from(inbox.outerjoin(connection_table, connection_table.c.id == inbox.c.connection_id))
    .where(
        inbox.c.state == InboxState.WAITING,
        inbox.c.order_id == any_(bindparam("orders", type_=ARRAY(BigInteger))),
        inbox.c.id != all_(bindparam("claimed", type_=ARRAY(BigInteger))),
    )
    .order_by(inbox.c.id)
    .with_for_update(of=inbox, nowait=True)
)
_STORE: Final = (
    select(checkout_page.c.name)
    .where(checkout_page.c.id == connection_table.c.checkout_page_id)
    .scalar_subquery()
)


def _read(connection: Connection, ids: list[int]) -> list[WaitingMessage]:
    if not ids:
        return []
    rows = connection.execute(
        select(
            inbox.c.id,
            inbox.c.connection_id,
            connection_table.c.kind,
            inbox.c.type,
            inbox.c.body,
            inbox.c.order_id,
            connection_table.c.checkout_page_id.label("store_id"),
            _STORE.label("store"),
            inbox.c.received_at,
            inbox.c.occurred_at,
            inbox.c.attempts,
        )
        .select_from(inbox.outerjoin(connection_table, connection_table.c.id == inbox.c.connection_id))
        .where(inbox.c.id.in_(ids))
        .order_by(inbox.c.id)
    )
    return [
        WaitingMessage(
            id=row.id,
            connection_id=row.connection_id,
            kind=ConnectionKind(row.kind) if row.kind else None,
            type=row.type,
            body=row.body or b"",
            order_id=row.order_id,
            store_id=row.store_id,
            store=row.store,
            received_at=row.received_at,
            occurred_at=row.occurred_at,
            attempts=row.attempts,
        )
        for row in rows
    ]


# What is kept of a message must not bring an erased person back.
_SETTLE: Final = text("""
    UPDATE inbox i SET state = v.state, field = v.field, reason = v.reason, attempts = i.attempts + 1,
        settled_at = CASE WHEN v.state <> 'waiting' THEN now() END,
        next_attempt_at = now() + make_interval(secs => v.pause),
        body = CASE WHEN v.state = 'waiting' OR i.type <> 'customer.erased'
            AND (i.order_id IS NULL OR NOT holds_erased(i.order_id)) THEN i.body END
    FROM unnest(:ids, :states, :fields, :reasons, :pauses) v(id, state, field, reason, pause)
    WHERE i.id = v.id
""").bindparams(
    bindparam("ids", type_=ARRAY(BigInteger)),
    *(bindparam(name, type_=ARRAY(Text)) for name in ("states", "fields", "reasons")),
    bindparam("pauses", type_=ARRAY(Float)),
)


def settle(connection: Connection, outcomes: Mapping[int, Outcome]) -> None:
    """Record what became of these messages; those that wait on become due again after their pause."""
    if not outcomes:
        return
    values = list(outcomes.values())
    connection.execute(
        _SETTLE,
        {
            "ids": list(outcomes),
            "states": [outcome.state.value for outcome in values],
            "fields": [storable(outcome.field, _LONGEST_FIELD) for outcome in values],
            "reasons": [storable(outcome.reason, _LONGEST_REASON) for outcome in values],
            "pauses": [
                outcome.retry_after.total_seconds() if outcome.retry_after else 0.0 for outcome in values
            ],
        },
    )
