"""The replacement of an activation code as it is carried out, under the lock of its order.

Who may decide, and what is allowed, is in `services.order_actions.reissue`.
"""

from sqlalchemy import Connection, func, insert, select, update

from db.schema.order_tables import activation_code
from services.access import Author
from services.errors import InvalidInput
from services.events.event_types import EventType
from services.order_actions.announcements import announce
from services.order_actions.history import Event, add_event
from services.order_actions.licences import LicenceCode, find_codes, queue_licence, why_order_not_sent
from services.order_actions.locking import LockedOrder


def check_new_code(
    connection: Connection, order_id: int, old_key: str, new_code: str, *, may_be_present: bool = False
) -> None:
    """Raise `InvalidInput` (field `new_code`) for a code that the order had before, compared as searches do.

    `may_be_present`: a document of the shop may have brought it already.
    """
    same = find_codes(connection, order_id, activation_code.c.code_key == func.fold(new_code))
    if any(code.code_key == old_key for code in same):
        raise InvalidInput("This is the code that is to be replaced.", field="new_code")
    if any(code.deleted for code in same):
        raise InvalidInput("This code was deleted from this order before.", field="new_code")
    if same and not may_be_present:
        raise InvalidInput("The order has this code already.", field="new_code")


def replace_code(
    connection: Connection,
    author: Author,
    order: LockedOrder,
    old: LicenceCode,
    new_code: str,
    *,
    reason: str,
    confirmed_by: str | None = None,
    told_before: int | None = None,
) -> LicenceCode:
    """Mark the code and all its copies in the order deleted, save the new one in their places, and mail it.

    `confirmed_by` names the other side that sent the code, `told_before` is its connection. Where the mail cannot be
    sent, which only an answer from there can come to, the history says so. Returns the new code on the item of `old`.
    """
    issued = _save_everywhere(connection, order, old, new_code)
    unsent = why_order_not_sent(connection, order)
    if unsent is None:
        queue_licence(connection, order, issued, is_new=True)
    add_event(
        connection,
        author,
        order,
        Event.LICENCE_REISSUED,
        old=old.code,
        new=issued.code,
        position=str(old.position),
        confirmed=f", sent by {confirmed_by}" if confirmed_by else "",
        reason=reason,
        unsent=f". It was not mailed: {unsent}" if unsent else "",
    )
    announce(
        connection,
        EventType.LICENCE_REISSUED,
        order,
        {
            "item_id": old.item_id or str(old.position),
            "code_number": issued.number,
            "old_code": old.code,
            "new_code": issued.code,
        },
        told_before=told_before,
    )
    return issued


def _save_everywhere(
    connection: Connection, order: LockedOrder, old: LicenceCode, new_code: str
) -> LicenceCode:
    """The new code on the item of `old`, once it has taken the place of every copy of the old one."""
    copies = find_codes(
        connection, order.order_id, activation_code.c.code_key == old.code_key, ~activation_code.c.deleted
    )
    for position in sorted({copy.position for copy in copies if not copy.refunded} | {old.position}):
        _save(connection, order, position, new_code)
    connection.execute(
        update(activation_code)
        .where(activation_code.c.order_id == order.order_id, activation_code.c.code_key == old.code_key)
        .values(deleted=True, replaced_at=func.now())
    )
    return find_codes(
        connection,
        order.order_id,
        activation_code.c.position == old.position,
        activation_code.c.code_key == func.fold(new_code),
    )[0]


def _save(connection: Connection, order: LockedOrder, position: int, new_code: str) -> None:
    """Add the code to the item, after its others, unless a document of the shop has brought it already."""
    columns = activation_code.c
    of_item = (columns.order_id == order.order_id, columns.position == position)
    is_present = select(columns.id).where(*of_item, columns.code_key == func.fold(new_code))
    if connection.execute(is_present).first() is not None:
        return
    number = connection.execute(select(func.coalesce(func.max(columns.number), 0) + 1).where(*of_item))
    connection.execute(
        insert(activation_code)
        .inline()
        .values(
            order_id=order.order_id,
            position=position,
            number=number.scalar_one(),
            checkout_page_id=order.checkout_page_id,
            code=new_code,
            issued_at=func.now(),
        )
    )
