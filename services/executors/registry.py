"""The executor of each kind of connection. Another provider is one file, and one line here."""

from collections.abc import Callable
from typing import Final

from db.schema.connection_states import ConnectionKind
from services.executors.interface import Executor
from services.executors.limits import LimitedExecutor
from services.executors.noventiq import NoventiqExecutor
from services.executors.stripe import StripeExecutor

_EXECUTORS: Final[dict[str, Callable[[], Executor]]] = {
    ConnectionKind.STRIPE: StripeExecutor,
    ConnectionKind.NOVENTIQ: NoventiqExecutor,
}


def find_executor(kind: str) -> Executor | None:
    """A new executor, with dry run and caps around it; None for a kind that carries nothing out by itself."""
    make = _EXECUTORS.get(kind)
    return None if make is None else LimitedExecutor(make())
