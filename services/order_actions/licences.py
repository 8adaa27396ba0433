"""Sending a customer their licence, and deleting licences that were refunded.

The same activation code may be on several items of an order. A copy is dead once it is deleted, or once its item is
refunded and another copy in the order is deleted: docs/decisions/016-what-a-refund-comes-to.md.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, exists, select, update

from db.schema.audit_actions import AuditAction
from db.schema.order_tables import activation_code, order_item
from db.schema.statuses import MailKind, MainStatus
from services.access import Viewer
from services.actions import ActionResult, action
from services.errors import Conflict, NotFound
from services.events.event_types import EventType
from services.events.outbox import Value
from services.mail.addresses import Utf8, is_well_formed, why_not_mailable
from services.mail.outbox import queue_mail
from services.mail.server_state import find_utf8_for
from services.order_actions.announcements import announce
from services.order_actions.locking import LockedOrder, lock_order
from services.settings import settings
from services.text.links import safe_link

COPY_DELETED: Final = "This activation code was deleted with another item, and this item is refunded as well."


class CodeNotFound(NotFound):
    message = "This order has no such activation code."


class LicenceNotSent(Conflict):
    """The order, its store or its customer does not allow it (now)."""


def why_not_sent(
    *, status: str, delivery_allowed: bool, customer_erased: bool, email: str | None, utf8: Utf8
) -> str | None:
    """None when licences of such an order may be sent, else the reason in a few words.

    `utf8` is whether the mail server takes addresses outside ASCII.
    """
    if status != MainStatus.PAID:
        return "Licences are sent only while the order is Paid."
    if not delivery_allowed:
        return "Delivery is not allowed for this checkout page."
    if customer_erased:
        return "The customer's e-mail was deleted at their request."
    if not email:
        return "The order has no e-mail to send it to."
    if not is_well_formed(email):
        return "Mail cannot be sent to the customer's e-mail address."
    return why_not_mailable(email, utf8)


@action(AuditAction.RESEND_LICENCE)
def resend_licence(connection: Connection, viewer: Viewer, order_id: int, *, code_id: int) -> ActionResult:
    """Queue a mail with this one activation code to the e-mail of the customer, never to the licence user's.

    The history gets its line when the mail server has accepted the message (`services.delivery.worker`).
    Raises `OrderNotFound`, `NotAllowed`, `CodeNotFound`, `LicenceNotSent`.
    """
    order = lock_order(connection, viewer, order_id)
    code = get_code(connection, order_id, code_id)
    reason = why_code_not_sent(connection, order_id, code) or why_order_not_sent(connection, order)
    if reason:
        raise LicenceNotSent(reason)
    queue_licence(connection, order, code)
    named: dict[str, Value] = {"item_id": code.item_id or str(code.position), "code_number": code.number}
    announce(connection, EventType.LICENCE_RESENT, order, named)
    return ActionResult(
        f"The licence of order {order.order_name} is being sent to {order.email}.",
        {"item": code.position, "code": code.number},
    )


class LicenceCode(NamedTuple):
    """An activation code with its item's name and whether that is refunded."""

    id: int
    code: str
    code_key: str
    deleted: bool
    position: int
    number: int
    item_id: str | None
    name: str
    refunded: bool


def find_codes(connection: Connection, order_id: int, *conditions: ColumnElement[bool]) -> list[LicenceCode]:
    """The codes of the order that meet the conditions, sorted by item and number."""
    columns = (*activation_code.c, *order_item.c)
    chosen = {column.name: column for column in reversed(columns) if column.name in LicenceCode._fields}
    rows = connection.execute(
        select(*chosen.values())
        .join(
            order_item,
            (order_item.c.order_id == activation_code.c.order_id)
            & (order_item.c.position == activation_code.c.position),
        )
        .where(activation_code.c.order_id == order_id, *conditions)
        .order_by(activation_code.c.position, activation_code.c.number)
    )
    return [LicenceCode(**row._mapping) for row in rows]


def get_code(connection: Connection, order_id: int, code_id: int) -> LicenceCode:
    """The code of the order; raises `CodeNotFound`."""
    codes = find_codes(connection, order_id, activation_code.c.id == code_id)
    if not codes:
        raise CodeNotFound
    return codes[0]


def why_code_not_sent(connection: Connection, order_id: int, code: LicenceCode) -> str | None:
    """None when the code is alive, else the reason in a few words."""
    if code.deleted:
        return "This activation code was deleted."
    if code.refunded and was_deleted_elsewhere(connection, order_id, code.code_key):
        return COPY_DELETED
    return None


def why_order_not_sent(connection: Connection, order: LockedOrder) -> str | None:
    """What `why_not_sent` says of a locked order."""
    return why_not_sent(
        status=order.status,
        delivery_allowed=order.delivery_allowed,
        customer_erased=order.customer_erased,
        email=order.email,
        utf8=find_utf8_for(connection, [order.email]),
    )


def queue_licence(
    connection: Connection, order: LockedOrder, code: LicenceCode, *, is_new: bool = False
) -> None:
    """Queue the mail with this code to the customer's e-mail, which `why_order_not_sent` has no objection to.

    `is_new` says that the code takes the place of an earlier one.
    """
    assert order.email is not None  # noqa: S101 - for the type checker: the rule above has looked
    queue_mail(
        connection,
        kind=MailKind.LICENCE,
        to_address=order.email,
        to_name=order.customer_name,
        order_id=order.order_id,
        store_id=order.checkout_page_id,
        position=code.position,
        number=code.number,
        template_values={
            "order_name": order.order_name,
            "customer_name": order.customer_name,
            "product": code.name,
            "code": code.code,
            "is_new": "yes" if is_new else None,
            "order_page": safe_link(order.detail_url) or f"{settings().web.base_url}/o/{order.page_key}",
            "shop": order.store_title or order.store,
        },
    )


def delete_codes_of(connection: Connection, order_id: int, positions: Sequence[int]) -> list[str]:
    """Mark the codes of these items deleted, and every copy that is dead with them; the codes marked, copies included.

    The items must be marked as refunded before. Also without any items: a code that was deleted with one item dies on
    another one when that is refunded, whether its codes are to be deleted or not.
    """
    of_order = (activation_code.c.order_id == order_id, ~activation_code.c.deleted)
    chosen = connection.execute(
        update(activation_code)
        .where(*of_order, activation_code.c.position.in_(positions))
        .values(deleted=True)
        .returning(activation_code.c.code)
    ).scalars()
    deleted = list(chosen)
    copy = activation_code.alias("copy")
    dead = connection.execute(
        update(activation_code)
        .where(
            *of_order,
            exists().where(
                order_item.c.order_id == order_id,
                order_item.c.position == activation_code.c.position,
                order_item.c.refunded,
            ),
            exists().where(
                copy.c.order_id == order_id, copy.c.code_key == activation_code.c.code_key, copy.c.deleted
            ),
        )
        .values(deleted=True)
        .returning(activation_code.c.code)
    ).scalars()
    return [*deleted, *dead]


def was_deleted_elsewhere(connection: Connection, order_id: int, key: str) -> bool:
    return (
        connection.execute(
            select(activation_code.c.id)
            .where(
                activation_code.c.order_id == order_id,
                activation_code.c.code_key == key,
                activation_code.c.deleted,
            )
            .limit(1)
        ).first()
        is not None
    )
