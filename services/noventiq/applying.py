"""Noventiq's messages are hints. With API credentials the order is fetched and believed; without, its
product is merged and statuses only go forward (services/noventiq/progress.py).

Run by the worker, one message at a time. An order is locked as an import locks it before anything is decided about it.
The API is asked before that: nobody waits for an order while the vendor takes its time.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from sqlalchemy import Connection, select

from db.schema.connection_states import InboxState, Purpose
from db.schema.connection_tables import connection as connection_table
from db.schema.statuses import SubscriptionStatus, SubscriptionType
from services.connections.documents import parse_document
from services.connections.incoming import Handler, Outcome, WaitingMessage
from services.connections.order_merging import BUSY, FOREIGN_ORDER, merge_document
from services.connections.safe_http import SafeClient
from services.connections.secrets import find_secrets
from services.importing.incoming import lock_document
from services.importing.order_rows import order_rows
from services.importing.refusals import JsonObject as Document
from services.noventiq.answers import confirm_refund, confirm_subscription, is_overtaken
from services.noventiq.api import ApiRefused, ApiUnavailable, LoginRefused, NoventiqApi, find_credentials
from services.noventiq.fetching import fetch_sayings
from services.noventiq.messages import (
    KNOWN_EVENTS,
    Notice,
    NoventiqEvent,
    read_notice,
    vendor_field,
)
from services.noventiq.progress import Saying, at_most_now, merged
from services.noventiq.stored_orders import find_order
from services.noventiq.troubles import Troubles

_SUBSCRIPTION_EVENTS: Final = (NoventiqEvent.SUBSCRIPTION_CANCELLED, NoventiqEvent.SUBSCRIPTION_RESTORED)
# For each request.
_SECONDS: Final = 5.0
_troubles: Final = Troubles()
UNREACHABLE: Final = "Noventiq was of no use a moment ago and is asked again soon."
FOREIGN: Final = Outcome(InboxState.REFUSED, "order_id", FOREIGN_ORDER)


def apply_message(connection: Connection, message: WaitingMessage) -> Outcome:
    """Carry a message out; raises `WrongMessage` for what an import would refuse."""
    if message.connection_id is None or message.store is None:
        return Outcome(InboxState.REFUSED, None, "The connection of this message is gone.")
    notice = read_notice(message.body, message.store)
    api = _find_api(connection, message.connection_id)
    if api is None:
        said_at = at_most_now(notice.occurred_at, message.received_at)
        sayings = [Saying(notice.event, notice.document, said_at, notice.subscription)]
    else:
        fetched = _fetch(api, notice, message.store)
        if isinstance(fetched, Outcome):
            return fetched
        sayings = fetched
    return _apply(connection, message, notice, sayings)


HANDLERS: Final[Mapping[str, Handler]] = {event: apply_message for event in sorted(KNOWN_EVENTS)}


def _fetch(api: NoventiqApi, notice: Notice, store: str) -> list[Saying] | Outcome:
    """The order as the vendor has it, or why the message waits or is refused."""
    if left := _troubles.seconds_left(api.key):
        return Outcome(InboxState.WAITING, None, UNREACHABLE, timedelta(seconds=left))
    try:
        sayings = fetch_sayings(api, notice, store, datetime.now(UTC))
    except ApiUnavailable as error:
        wait = error.retry_after
        if error.status is None or isinstance(error, LoginRefused):
            wait = _troubles.note(api.key)
        return Outcome(
            InboxState.WAITING, None, str(error), None if wait is None else timedelta(seconds=wait)
        )
    except ApiRefused as error:
        return Outcome(InboxState.REFUSED, None, str(error))
    _troubles.clear(api.key)
    return sayings


def _find_api(connection: Connection, connection_id: int) -> NoventiqApi | None:
    options = connection.execute(
        select(connection_table.c.options).where(connection_table.c.id == connection_id)
    ).scalar_one()
    secrets = find_secrets(connection, connection_id, Purpose.API)
    credentials = find_credentials(connection_id, options, secrets)
    return None if credentials is None else NoventiqApi(credentials, client=_client())


@cache
def _client() -> SafeClient:
    # Other messages wait behind the one that asks, so it waits for less time than an action does.
    return SafeClient(seconds=_SECONDS)


def _apply(connection: Connection, message: WaitingMessage, notice: Notice, sayings: list[Saying]) -> Outcome:
    if not lock_document(connection, order_rows(parse_document(_all_products(sayings), message.store), 1)):
        return Outcome(InboxState.WAITING, None, BUSY)
    stored = find_order(connection, notice.order_id)
    if stored is not None and stored.store_id != message.store_id:
        return FOREIGN
    own = next(saying for saying in sayings if saying.event == notice.event)
    is_late = notice.event in _SUBSCRIPTION_EVENTS and is_overtaken(connection, message, notice)
    if is_late and not own.is_believed:
        return Outcome(InboxState.UNCHANGED, None, "A later message about this subscription was here before.")
    if notice.event == NoventiqEvent.PRODUCT_RETURNED and stored is not None:
        waits = confirm_refund(connection, message, notice, stored)
        if waits is not None:
            return Outcome(InboxState.UNCHANGED, None, waits)
    is_answer = not is_late and _is_true(notice, own) and confirm_subscription(connection, message, notice)
    outcomes = [_merge(connection, message.store or "", saying) for saying in sayings]
    return _together(outcomes, is_answer=is_answer)


def _is_true(notice: Notice, saying: Saying) -> bool:
    """Whether the API, where it was asked, says of the subscription what the message says."""
    if not saying.is_believed or saying.subscription is None or saying.subscription.status is None:
        return True
    is_cancelled = saying.subscription.status is SubscriptionStatus.CANCELLED
    return is_cancelled == (notice.event == NoventiqEvent.SUBSCRIPTION_CANCELLED)


def _all_products(sayings: list[Saying]) -> Document:
    """A document with all that has to be locked; it is not merged."""
    return sayings[-1].document | {"items": [_with_subscription(saying) for saying in sayings]}


def _with_subscription(saying: Saying) -> Document:
    if saying.subscription is None:
        return saying.item
    return saying.item | {
        "subscription": {
            "id": saying.subscription.id,
            "type": SubscriptionType.AR.value,
            "status": SubscriptionStatus.ACTIVE.value,
        }
    }


def _merge(connection: Connection, store: str, saying: Saying) -> Outcome:
    # Read anew for each product: the one before has changed the order.
    stored = find_order(connection, saying.document["order_id"])
    outcome = merge_document(connection, merged(saying, stored), store=store, only_item=True)
    return outcome._replace(field=vendor_field(outcome.field))


def _together(outcomes: list[Outcome], *, is_answer: bool) -> Outcome:
    for state in (InboxState.WAITING, InboxState.REFUSED, InboxState.APPLIED):
        for outcome in outcomes:
            if outcome.state is state:
                return outcome
    return Outcome(InboxState.APPLIED) if is_answer else outcomes[-1]
