"""Erasing a customer at the request of the shop, by a message `customer.erased`.

A shop answers for its own customers and for nobody else's, so an erasure that it asks for ends at its store: the orders
of the same person in another store, the mails about them, saved searches and texts that belong to no order stay for
that store's shop, or an administrator, to decide about. Otherwise anybody with one store's secret could empty the
orders of all.
"""

from typing import Final

from sqlalchemy import BigInteger, Connection, any_, insert, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from db.schema.audit_actions import AuditAction
from db.schema.order_tables import orders
from db.schema.portal_tables import audit_log
from services.privacy.known_values import Person
from services.privacy.person import erase, find_reach

# A worker does not wait for a mail server as an administrator does.
_WAIT_SECONDS: Final = 2.0


def erase_customer_of_store(
    connection: Connection, *, email: str, store_id: int, connection_id: int | None
) -> int:
    """Take the person out of this store's orders; how many orders that were.

    `connection` is a transaction of the jobs' role. The author is the shop, in the histories and in the audit log.
    Locks the orders by rising ID, and raises the database's error when one cannot be had within its lock_timeout.
    """
    person = _find_person(connection, email, store_id)
    if not person.orders:
        return 0
    reach = find_reach(connection, person, store_id=store_id)
    connection.execute(
        select(orders.c.order_id)
        .where(orders.c.order_id == any_(literal([*{*person.orders, *reach.orders}], ARRAY(BigInteger))))
        .order_by(orders.c.order_id)
        .with_for_update(key_share=True)
    )
    # What has come in between is the person's as well.
    person = _find_person(connection, email, store_id)
    erased = erase(connection, person, reach, announce=True, wait_seconds=_WAIT_SECONDS)
    number = len({*person.own, *person.used})
    connection.execute(
        insert(audit_log).values(
            action=AuditAction.ERASE_PERSONAL_DATA,
            succeeded=True,
            details={
                "by": "the shop",
                "connection": connection_id,
                "orders": number,
                "mails": erased.mails,
                "documents": erased.documents,
            },
        )
    )
    return len(person.orders)


def _find_person(connection: Connection, email: str, store_id: int) -> Person:
    """By order of this store, what the person with this e-mail is in it."""
    rows = connection.execute(
        text(
            "SELECT p.order_id, p.part FROM orders_of_person(:email) p JOIN orders o USING (order_id) "
            "WHERE o.checkout_page_id = :store ORDER BY p.order_id"
        ),
        {"email": email, "store": store_id},
    )
    person = Person(email, [])
    lists = {"customer": person.own, "licence user": person.used, "past e-mail": person.past}
    for row in rows:
        lists[row.part].append(row.order_id)
    return person
