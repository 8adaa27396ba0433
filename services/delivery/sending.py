"""Attempts to deliver events, by the kind of their connections: a signed message, or an executor."""

import logging
from typing import Final

from services.connections.safe_http import SafeClient
from services.delivery import webhooks
from services.delivery.due import WEBHOOKS, DueDelivery
from services.delivery.outcomes import Outcome
from services.events.event_types import EventType
from services.executors.interface import Executor, NothingToDo, OutgoingEvent, TryLater
from services.executors.registry import find_executor

log = logging.getLogger("esupport.worker")

_FAILED: Final = "The attempt failed here. The worker's log says more."


class Sender:
    """Speaks to the other sides. Threads may share it; of one connection with an executor, one event at a time."""

    def __init__(self) -> None:
        self._client: Final = SafeClient()
        self._executors: Final[dict[int, Executor | None]] = {}

    def attempt(self, due: DueDelivery) -> Outcome:
        """Carry the event to the other side; never raises."""
        try:
            if due.kind == WEBHOOKS:
                return webhooks.post(self._client, due)
            executor = self._executor(due)
            return NothingToDo() if executor is None else executor.send(_outgoing(due))
        except Exception:  # a defect of ours, over which other deliveries must not stand still
            log.exception("Delivery %s could not be attempted.", due.id)
            return TryLater(_FAILED)

    def close(self) -> None:
        self._client.close()

    def _executor(self, due: DueDelivery) -> Executor | None:
        if due.connection_id not in self._executors:
            self._executors[due.connection_id] = find_executor(due.kind)
        return self._executors[due.connection_id]


def _outgoing(due: DueDelivery) -> OutgoingEvent:
    return OutgoingEvent(
        event_id=due.event_id,
        action_id=due.action_id,
        event=EventType(due.type),
        connection_id=due.connection_id,
        store_id=due.store_id,
        order_id=due.order_id,
        created_at=due.created_at,
        data=due.data,
        options=due.options,
        secrets=due.secrets,
    )
