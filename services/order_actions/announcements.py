"""Events to a store's connections about an action, beside its line in the history and its row in the audit log.

Thin on purpose: numbers, amounts and states, and never a name, an address, a reason or a note.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import Connection

from db.schema.connection_states import Topic
from services.events.awaiting import ConfirmingConnection, find_confirming
from services.events.event_types import EventType
from services.events.outbox import Subject, Value, publish
from services.order_actions.locking import LockedOrder


def announce(
    connection: Connection,
    event: EventType,
    order: LockedOrder,
    data: Mapping[str, Value] = MappingProxyType({}),
    *,
    action_id: UUID | None = None,
    asked: int | None = None,
    told_before: int | None = None,
) -> None:
    """Write the event in the transaction of the action; nothing at all for a store without a connection.

    `action_id`, `asked` and `told_before` as in `services.events.outbox.publish`; `data` is what the event's type says
    beside the order.
    """
    if not order.is_connected:
        return
    subject = Subject(order.order_id, order.order_name, order.checkout_page_id, order.store)
    publish(connection, event, subject, action_id=action_id, asked=asked, told_before=told_before, data=data)


def payment_of(order: LockedOrder) -> Mapping[str, object]:
    """The order's payment, as far as a provider can be asked about it."""
    return {"provider": order.payment_provider, "reference": order.payment_reference}


def decimal_text(amount: Decimal) -> str:
    """An amount as events spell it: a decimal string with a dot."""
    return f"{amount:f}"


def find_asked(connection: Connection, order: LockedOrder, topic: Topic) -> ConfirmingConnection | None:
    """The connection of the order's store that has to confirm an action of the topic; None when nobody has to."""
    if not order.is_connected:
        return None
    return find_confirming(connection, order.checkout_page_id, topic, payment_provider=order.payment_provider)
