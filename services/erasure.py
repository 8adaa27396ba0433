"""Deleting a person's data at their request: what would be touched, and the deletion itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select, text

from db.tables import checkout_page, orders
from services.access import Viewer
from services.account_admin import check_administrator
from services.actions import Done
from services.addresses import LONGEST
from services.errors import Conflict, InvalidInput
from services.text_keys import strip_edges

SHOWN: Final = 200


class NothingToErase(Conflict):
    message = "No order holds personal data under this e-mail."


@dataclass(frozen=True, slots=True)
class TouchedOrder:
    """An order that the deletion would touch: as the customer's own, or because they use one of its licences."""

    order_id: int
    order_name: str
    store: str
    status: str
    created_at: datetime
    is_customer: bool


@dataclass(frozen=True, slots=True)
class ErasurePreview:
    """`orders` are the newest `SHOWN` of `number`."""

    number: int
    orders: tuple[TouchedOrder, ...]


def preview_erasure(connection: Connection, viewer: Viewer, *, email: str) -> ErasurePreview:
    """The orders that hold data of the person with this e-mail. Raises `NotAllowed`, `InvalidInput` (field `email`)."""
    check_administrator(viewer)
    found = {
        row.order_id: row.is_customer
        for row in connection.execute(
            text("SELECT * FROM orders_of_person(:email)"), {"email": _email(email)}
        )
    }
    rows = connection.execute(
        select(
            orders.c.order_id, orders.c.order_name, checkout_page.c.name, orders.c.status, orders.c.created_at
        )
        .join(checkout_page, checkout_page.c.id == orders.c.checkout_page_id)
        .where(orders.c.order_id.in_(list(found)))
        .order_by(orders.c.created_at.desc(), orders.c.order_id.desc())
        .limit(SHOWN)
    )
    return ErasurePreview(len(found), tuple(TouchedOrder(*row, found[row.order_id]) for row in rows))


def erase_personal_data(connection: Connection, viewer: Viewer, *, email: str, expected: int) -> Done:
    """Replaces every value of the person in orders, licence users, histories, mails and the audit log, and writes
    *Personal data anonymize* into each order's history. The orders remain, countable.

    `expected` is the number of orders that the preview showed. Raises `NotAllowed`, `InvalidInput`, `NothingToErase`,
    and `Conflict` when other orders came meanwhile.
    """
    check_administrator(viewer)
    email = _email(email)
    number = connection.execute(
        text("SELECT count(*) FROM orders_of_person(:email)"), {"email": email}
    ).scalar_one()
    if number == 0:
        raise NothingToErase
    if number != expected:
        raise Conflict(f"There are {number:,} orders by now. Please look at the preview again.")
    done = connection.execute(text("SELECT * FROM erase_person(:email)"), {"email": email}).one()
    orders_words = f"{done.orders_erased:,} order{'' if done.orders_erased == 1 else 's'}"
    return Done(
        f"The personal data was deleted from {orders_words}.",
        {"orders": done.orders_erased, "mails": done.mails_erased, "documents": done.documents_removed},
    )


def _email(email: str) -> str:
    email = strip_edges(email)
    if len(email) < 3 or len(email) > LONGEST or "@" not in email or not email.isprintable():
        raise InvalidInput("Enter the whole e-mail address of the person.", field="email")
    return email
