"""Order documents of messages, merged: those of a batch together, or a single one of a provider."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from db.errors import without_values
from db.schema.connection_states import InboxState
from services.connections.documents import parse_document
from services.connections.incoming import Outcome, WaitingMessage, WrongMessage
from services.connections.messages import MessageType, read_message
from services.importing.incoming import Broken, Busy, MergeFailure, Result, merge_documents
from services.importing.merging import Fate
from services.importing.order_rows import order_rows
from services.importing.staging_rows import OrderRows

log = logging.getLogger("esupport.inbox")
BUSY: Final = "Somebody else is changing this order."
FAILED: Final = "An error of the portal, which is in the worker's log."
FOREIGN_ORDER: Final = "This connection's store has no order with this ID that it could change."


def merge_messages(connection: Connection, messages: Sequence[WaitingMessage]) -> dict[int, Outcome]:
    """The outcomes of these messages of different orders, by their IDs."""
    outcomes: dict[int, Outcome] = {}
    documents: dict[int, OrderRows] = {}
    by_order: dict[int, int] = {}
    for message in messages:
        try:
            rows = _rows_of(message)
        except WrongMessage as error:
            outcomes[message.id] = Outcome(InboxState.REFUSED, error.field, error.reason)
        except Exception as error:
            log.error("Message %d of the inbox could not be read: %s", message.id, without_values(error))
            outcomes[message.id] = Outcome(InboxState.WAITING, None, FAILED)
        else:
            documents[message.id] = rows
            by_order[rows.order_id] = message.id
    if documents:
        results = merge_documents(connection, list(documents.values()))
        outcomes |= {by_order[order_id]: outcome_of(result) for order_id, result in results.items()}
    return outcomes


def merge_document(
    connection: Connection, document: Mapping[str, Any], *, store: str, only_item: bool
) -> Outcome:
    """Merge one order document of this store; with `only_item`, its one item and no other.

    Raises `WrongMessage` for a document that the import refuses.
    """
    rows = _rows(document, store, only_item=only_item)
    return outcome_of(merge_documents(connection, [rows])[rows.order_id])


def _rows_of(message: WaitingMessage) -> OrderRows:
    content = read_message(message.body)
    rows = _rows(content.data, message.store, only_item=content.type == MessageType.ITEM)
    if rows.order_id != message.order_id:
        # The queue is ordered by what the inbox says.
        raise WrongMessage("data.order_id", "The order's ID is not a plain number.")
    return rows


def _rows(document: Mapping[str, Any], store: str | None, *, only_item: bool) -> OrderRows:
    """`store` is None for what a shop's own database says, which may be of any store, as in a file."""
    parsed = parse_document(document, store)
    if only_item and len(parsed.order.items) != 1:
        raise WrongMessage("data.items", "Exactly one item is expected.")
    return order_rows(
        parsed,
        1,
        only_item=only_item,
        sums_up=only_item and document.get("total") is None,
        only_store=store is not None,
    )


def outcome_of(result: Result) -> Outcome:
    """The inbox's words for the result of a merge."""
    if isinstance(result, MergeFailure):
        return Outcome(InboxState.REFUSED, f"data.{result.field}" if result.field else "data", result.reason)
    if isinstance(result, Busy):
        return Outcome(InboxState.WAITING, None, BUSY)
    if isinstance(result, Broken):
        return Outcome(InboxState.WAITING, None, FAILED)
    if result is Fate.FOREIGN:
        return Outcome(InboxState.REFUSED, "data.order_id", FOREIGN_ORDER)
    return Outcome(InboxState.UNCHANGED if result is Fate.UNCHANGED else InboxState.APPLIED)
