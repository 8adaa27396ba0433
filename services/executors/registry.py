"""Which executor carries out the actions of a kind of connection. A further provider is a file, and a line here."""

from typing import Final

from services.connections.inbox import ConnectionKind
from services.executors.interface import Executor
from services.executors.limits import LimitedExecutor
from services.executors.stripe import StripeExecutor

_EXECUTORS: Final[dict[ConnectionKind, Executor]] = {
    ConnectionKind.STRIPE: StripeExecutor(),
}


def find_executor(kind: ConnectionKind) -> Executor | None:
    """The executor with dry run and caps around it; None for a kind that carries nothing out by itself."""
    executor = _EXECUTORS.get(kind)
    return None if executor is None else LimitedExecutor(executor)
