"""Correcting what a customer mistyped."""

from sqlalchemy import Connection, func, update

from db.schema.audit_actions import AuditAction
from db.schema.order_tables import activation_code, orders
from services.access import Viewer
from services.actions import ActionResult, action
from services.errors import Conflict, InvalidInput
from services.events.event_types import EventType
from services.mail.server_state import why_not_mailed
from services.order_actions.announcements import announce
from services.order_actions.history import Event, add_event
from services.order_actions.licences import (
    LicenceNotSent,
    find_codes,
    resend_licence,
    why_code_not_sent,
)
from services.order_actions.locking import lock_order
from services.text.keys import strip_edges


class EmailChangedMeanwhile(Conflict):
    message = "The e-mail was changed by somebody else meanwhile. Please look at the order again."


class CustomerErased(Conflict):
    message = "The customer had their personal data deleted; nothing of it can be entered again."


def why_not_corrected(*, customer_erased: bool) -> str | None:
    """None when the customer's e-mail may be corrected, else the reason."""
    return CustomerErased.message if customer_erased else None


@action(AuditAction.CORRECT_EMAIL)
def correct_email(
    connection: Connection,
    viewer: Viewer,
    order_id: int,
    *,
    email: str,
    expected: str | None,
    resend: bool = False,
) -> ActionResult:
    """Replaces the e-mail of the order's customer; mails go to the new one from now on.

    `expected` is the e-mail that the person saw when they decided. A document of the shop that is older than the
    correction does not undo it. `resend` sends every live licence to the new e-mail; where that is not possible,
    nothing is changed. Raises `OrderNotFound`, `NotAllowed`, `CustomerErased`, `EmailChangedMeanwhile`,
    `LicenceNotSent`, and `InvalidInput` with `field` "email".
    """
    email = strip_edges(email or "")
    if why_not := why_not_mailed(connection, email):
        raise InvalidInput(why_not, field="email")
    order = lock_order(connection, viewer, order_id)
    if why_not_corrected(customer_erased=order.customer_erased):
        raise CustomerErased
    if (order.email or None) != (expected or None):
        raise EmailChangedMeanwhile
    if email == order.email:
        raise InvalidInput("This is the e-mail that the order has already.", field="email")
    connection.execute(
        update(orders).where(orders.c.order_id == order_id).values(email=email, email_corrected_at=func.now())
    )
    add_event(connection, viewer, order, Event.EMAIL_CORRECTED, old=order.email or "none", new=email)
    announce(connection, EventType.EMAIL_CORRECTED, order)
    details: dict[str, object] = {"old": order.email, "new": email}
    said = f"The e-mail of order {order.order_name} is now {email}."
    if resend:
        number = _resend(connection, viewer, order_id)
        details["licences"] = number
        said += f" {'Its licence is' if number == 1 else f'{number:,} licences are'} being sent there."
    return ActionResult(said, details)


def _resend(connection: Connection, viewer: Viewer, order_id: int) -> int:
    """Send every live code of the order to the e-mail that it has now; how many those are."""
    codes = [
        code
        for code in find_codes(connection, order_id, ~activation_code.c.deleted)
        if why_code_not_sent(connection, order_id, code) is None
    ]
    if not codes:
        raise LicenceNotSent("The order has no activation code that can be sent.")
    for code in codes:
        resend_licence(connection, viewer, order_id, code_id=code.id)
    return len(codes)
