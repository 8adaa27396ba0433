"""Actions that a shop or a provider has to confirm before they count (docs/decisions/026-which-word-counts.md).

An action is recorded here in the transaction of the person who acts, sent out as an event with the same ID, and carried
out when the answer says so (services/connections/answers.py). `TRANSITIONS` is all that can happen to one.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, case, func, insert, literal, or_, select, update
from sqlalchemy.exc import IntegrityError

from db.schema.connection_states import AwaitedKind, AwaitedState, Topic
from db.schema.connection_tables import awaited_action
from db.schema.connection_tables import connection as connection_table
from services.access import Author
from services.errors import Conflict

# From each state to those that may follow. An answer may overtake the news that the action was delivered, and it counts
# even for an action that was given up: the other side may have done it and only the way back was broken.
TRANSITIONS: Final[Mapping[AwaitedState, frozenset[AwaitedState]]] = {
    AwaitedState.RECORDED: frozenset(
        {AwaitedState.SENT, AwaitedState.CONFIRMED, AwaitedState.REFUSED, AwaitedState.NOT_DELIVERED}
    ),
    AwaitedState.SENT: frozenset({AwaitedState.CONFIRMED, AwaitedState.REFUSED, AwaitedState.NOT_DELIVERED}),
    AwaitedState.NOT_DELIVERED: frozenset({AwaitedState.CONFIRMED, AwaitedState.REFUSED}),
    AwaitedState.CONFIRMED: frozenset(),
    AwaitedState.REFUSED: frozenset(),
}
# While an action is in one of these, nobody else may act on its subject.
OPEN_STATES: Final = (AwaitedState.RECORDED, AwaitedState.SENT)
_LONGEST_MESSAGE: Final = 1000
# The kinds of connections that are no payment providers. The kind of one is its name, as orders name it in
# `payment.provider`.
_NO_PROVIDERS: Final = ("webhooks", "noventiq", "help desk")


class ActionAwaited(Conflict):
    """The same was asked for before, and the answer is still to come."""

    message = "This has been recorded already; the answer is still to come."


class NotCarriedOut(Conflict):
    """An action was confirmed, and what it is about has changed too much since for it to be carried out here."""


class ConfirmingConnection(NamedTuple):
    """The connection whose word counts for a topic. `asked` is what sentences call the other side."""

    id: int
    kind: str

    @property
    def asked(self) -> str:
        return name_of_other_side(self.kind)


def name_of_other_side(kind: str | None) -> str:
    """The name of a connection's other side in sentences; `kind` is None for a deleted connection."""
    return "the shop" if kind in (None, "webhooks") else kind.capitalize()


@dataclass(frozen=True, slots=True)
class AwaitedAction:
    """An action that has to be confirmed. `wish` is what is carried out then; amounts are in the order's currency.

    `subject` is the subscription's ID or the refund request's number. `asked` is the name of the other side, as
    sentences call it.
    """

    id: UUID
    connection_id: int | None
    asked: str
    order_id: int
    store_id: int
    kind: AwaitedKind
    subject: str
    state: AwaitedState
    wish: Mapping[str, Any]  # JSON of the action's own making
    account_id: int | None
    account_name: str
    account_email: str
    recorded_at: datetime
    sent_at: datetime | None
    answered_at: datetime | None
    message: str | None
    external_id: str | None
    amount: Decimal | None

    @property
    def is_open(self) -> bool:
        """Whether the answer is still to come."""
        return self.state in OPEN_STATES


def is_payment_provider(kind: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a connection of this kind pays refunds back, of orders that were paid through it."""
    return kind.not_in(_NO_PROVIDERS)


def find_confirming(
    connection: Connection, store_id: int, topic: Topic, *, payment_provider: str | None = None
) -> ConfirmingConnection | None:
    """The connection of the store whose word counts for the topic; None when ours does.

    One that acts itself (a payment provider, Noventiq) comes before a shop that confirms. A payment provider is asked
    for refunds of orders that were paid through it.
    """
    kind, topics = connection_table.c.kind, connection_table.c.topics
    is_provider = is_payment_provider(kind) & (kind == (payment_provider or "").casefold())
    wants = topics.contains([topic.value])
    row = connection.execute(
        select(connection_table.c.id, kind)
        .where(
            connection_table.c.checkout_page_id == store_id,
            connection_table.c.switched_off_at.is_(None),
            or_(
                is_provider & literal(topic is Topic.REFUNDS),
                (kind == "noventiq") & wants & (topic in (Topic.REFUNDS, Topic.SUBSCRIPTIONS)),
                (kind == "webhooks") & wants & connection_table.c.confirms & connection_table.c.has_out_url,
            ),
        )
        .order_by(case({"noventiq": 2, "webhooks": 3}, value=kind, else_=1), connection_table.c.id)
        .limit(1)
    ).one_or_none()
    return None if row is None else ConfirmingConnection(row.id, row.kind)


def await_action(
    connection: Connection,
    author: Author,
    confirming: ConfirmingConnection,
    *,
    kind: AwaitedKind,
    subject: str,
    order_id: int,
    store_id: int,
    wish: Mapping[str, object],
) -> UUID:
    """Record an action that `confirming` has to confirm; returns its ID, under which its event goes out.

    The orders concerned are locked by the caller. Raises `ActionAwaited` when one of the kind is open for the subject.
    """
    action_id = uuid4()
    try:
        with connection.begin_nested():
            connection.execute(
                insert(awaited_action)
                .inline()
                .values(
                    id=action_id,
                    connection_id=confirming.id,
                    order_id=order_id,
                    checkout_page_id=store_id,
                    kind=kind,
                    subject=subject,
                    wish=dict(wish),
                    account_id=author.account_id,
                    account_name=author.name,
                    account_email=author.email,
                )
            )
    except IntegrityError as error:  # the index has the last word, should the lock ever fail
        raise ActionAwaited from error
    return action_id


def find_action(connection: Connection, action_id: UUID) -> AwaitedAction | None:
    """The action as it is at this moment, not locked."""
    row = connection.execute(
        select(awaited_action, connection_table.c.kind.label("connection_kind"))
        .outerjoin(connection_table, connection_table.c.id == awaited_action.c.connection_id)
        .where(awaited_action.c.id == action_id)
    ).one_or_none()
    if row is None:
        return None
    return _action(row._mapping, row.connection_kind)


def find_open_refund(connection: Connection, order_id: int, request_id: int) -> AwaitedAction | None:
    """The refund of this request whose answer is still to come."""
    action_id = connection.execute(
        select(awaited_action.c.id).where(
            awaited_action.c.order_id == order_id,
            awaited_action.c.kind == AwaitedKind.REFUND,
            awaited_action.c.subject == str(request_id),
            awaited_action.c.state.in_(OPEN_STATES),
        )
    ).scalar_one_or_none()
    return None if action_id is None else find_action(connection, action_id)


def action_of_json(columns: str, connection_kind: str | None) -> AwaitedAction:
    """The action from its row as JSON, as the statement of an order in full reads it."""
    row: dict[str, Any] = json.loads(columns, parse_float=Decimal)
    for name in ("recorded_at", "sent_at", "answered_at"):
        row[name] = row[name] and datetime.fromisoformat(row[name])
    row["id"] = UUID(row["id"])
    row["amount"] = None if row["amount"] is None else Decimal(row["amount"])
    return _action(row, connection_kind)


def _action(row: Mapping[Any, Any], connection_kind: str | None) -> AwaitedAction:
    named = ("asked", "store_id", "kind", "state")
    return AwaitedAction(
        **{name: row[name] for name in AwaitedAction.__slots__ if name not in named},
        asked=name_of_other_side(connection_kind),
        store_id=row["checkout_page_id"],
        kind=AwaitedKind(row["kind"]),
        state=AwaitedState(row["state"]),
    )


def find_waiting(connection: Connection, connection_id: int) -> list[UUID]:
    """The open actions that wait for this connection, in the order in which they were recorded."""
    return list(
        connection.execute(
            select(awaited_action.c.id)
            .where(awaited_action.c.connection_id == connection_id, awaited_action.c.state.in_(OPEN_STATES))
            .order_by(awaited_action.c.recorded_at)
        ).scalars()
    )


def change_state(
    connection: Connection,
    action_id: UUID,
    state: AwaitedState,
    *,
    message: str | None = None,
    external_id: str | None = None,
    amount: Decimal | None = None,
) -> bool:
    """Check and make a transition in one statement; False, and nothing changed, when `TRANSITIONS` has none.

    Waits for a transaction that is changing the state at this moment, and looks at what came of it.
    """
    sources = [source for source, targets in TRANSITIONS.items() if state in targets]
    at = "sent_at" if state is AwaitedState.SENT else "answered_at"
    values: dict[str, object] = {"state": state, at: func.clock_timestamp()}
    if state is not AwaitedState.SENT:  # an answer that comes after all has the last word
        values["message"] = message and message[:_LONGEST_MESSAGE]
    if external_id is not None:
        values["external_id"] = external_id
    if amount is not None:
        values["amount"] = amount
    changed = connection.execute(
        update(awaited_action)
        .where(awaited_action.c.id == action_id, awaited_action.c.state.in_(sources))
        .values(**values)
    )
    return bool(changed.rowcount)


def find_states(connection: Connection, action_ids: Collection[UUID]) -> dict[UUID, AwaitedState]:
    """The states of these actions; those that the transaction may not see are left out."""
    rows = connection.execute(
        select(awaited_action.c.id, awaited_action.c.state).where(awaited_action.c.id.in_(list(action_ids)))
    )
    return {row.id: AwaitedState(row.state) for row in rows}


def mark_sent(connection: Connection, action_id: UUID, external_id: str | None = None) -> bool:
    """Record that the action has arrived on the other side; `external_id` is what it is called there.

    False for an event that nobody waits for, and for an action whose answer was faster.
    """
    return change_state(connection, action_id, AwaitedState.SENT, external_id=external_id)


def mark_not_delivered(connection: Connection, action_id: UUID, reason: str) -> bool:
    """Record that the action was given up, so that it can be done again; False when it was answered before.

    `services.connections.answers.give_up` does this with the history line and the mail that belong to it.
    """
    return change_state(connection, action_id, AwaitedState.NOT_DELIVERED, message=reason)
