"""The orders that an account opened last; `services.orders.detail.get_order` adds to them."""

from typing import Final, NamedTuple

from sqlalchemy import Connection, Integer, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from services.access import Viewer


class OpenedOrder(NamedTuple):
    """An order opened lately, as it is now; `customer` is None when absent and when erased."""

    order_id: int
    order_name: str
    customer: str | None
    customer_erased: bool


# Only numbers were remembered: names are those that the orders have now, and erased ones are gone.
_OPENED: Final = text(
    "SELECT o.order_id, o.order_name, o.first_name, o.last_name, o.company_name, o.customer_erased "
    "FROM opened_orders l CROSS JOIN LATERAL unnest(l.order_ids) WITH ORDINALITY listed(order_id, place) "
    "JOIN orders o ON o.order_id = listed.order_id "
    "WHERE l.account_id = :account_id AND o.checkout_page_id = ANY (:store_ids) ORDER BY listed.place"
).bindparams(bindparam("store_ids", type_=ARRAY(Integer)))


def find_opened(connection: Connection, viewer: Viewer) -> tuple[OpenedOrder, ...]:
    """At most ten orders, the one opened last first; only those that the viewer may see now."""
    parameters = {"account_id": viewer.account_id, "store_ids": list(viewer.store_ids)}
    return tuple(
        OpenedOrder(
            row.order_id,
            row.order_name,
            " ".join(filter(None, (row.first_name, row.last_name))) or row.company_name,
            row.customer_erased,
        )
        for row in connection.execute(_OPENED, parameters)
    )
