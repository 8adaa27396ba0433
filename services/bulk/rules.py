"""Whether an order can be acted on: the rules of the single actions, asked for many orders before anything is done."""

from collections.abc import Iterable

from db.schema.bulk_states import BulkKind
from services.bulk.facts import OrderFacts
from services.order_actions.cancellation import why_not_cancelled_unpaid
from services.order_actions.licences import why_not_sent
from services.order_actions.subscriptions import why_not_cancelled, why_not_resumed
from services.refunds.requests import why_not_requested

NO_CODE = "The order has no activation code that can be sent."
NO_SUBSCRIPTION = "The order has no subscription."


def why_not_done(kind: BulkKind, order: OrderFacts) -> str | None:
    """None when this can be done with the order now, else a sentence that says why not; it names nobody."""
    match kind:
        case BulkKind.REQUEST_REFUND:
            conflict = why_not_requested(
                status=order.status,
                total=order.total,
                again_after_partial=order.refund_again_after_partial,
                requests=order.requests,
            )
            return None if conflict is None else str(conflict)
        case BulkKind.RESEND_LICENCES:
            return why_not_resent(order)
        case BulkKind.CANCEL_RENEWAL | BulkKind.RESUME_RENEWAL:
            return None if positions_to_change(kind, order) else _why_none_changed(kind, order)
        case BulkKind.ADD_NOTE:
            return None
        case BulkKind.CANCEL_UNPAID:
            return why_not_cancelled_unpaid(status=order.status)


def why_not_resent(order: OrderFacts) -> str | None:
    """None when at least one activation code of the order can be sent."""
    why_not = why_not_sent(
        status=order.status,
        delivery_allowed=order.delivery_allowed,
        customer_erased=order.customer_erased,
        email=order.email,
        utf8=order.utf8,
    )
    if why_not is None and not any(code.is_live for code in order.codes):
        return NO_CODE
    return why_not


def positions_to_change(kind: BulkKind, order: OrderFacts) -> list[int]:
    """The positions of the items whose renewal can be switched off or on."""
    return [position for position, why_not in _whys_not(kind, order) if why_not is None]


def _why_none_changed(kind: BulkKind, order: OrderFacts) -> str:
    return next((why_not for _, why_not in _whys_not(kind, order) if why_not), NO_SUBSCRIPTION)


def _whys_not(kind: BulkKind, order: OrderFacts) -> Iterable[tuple[int, str | None]]:
    why_not = why_not_cancelled if kind is BulkKind.CANCEL_RENEWAL else why_not_resumed
    for part in order.subscriptions:
        yield part.position, why_not(type_=part.type, status=part.status, is_awaited=part.is_awaited)
