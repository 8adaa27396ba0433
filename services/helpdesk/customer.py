"""The customer data for a help desk: totals, the newest orders, running renewals and open refunds of one store.

A help desk has no account, so no viewer's row-level security binds it. Its connection does instead: the only way to the
orders is the SQL function `help_desk_customer`, which takes the store from the connection, reads nothing else, and
records the look-up in the audit log in the same transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from db.connections.engine import jobs_transaction
from db.schema.connection_states import ConnectionKind
from services.connections.inbox import UNKNOWN, Answer, is_storable, too_many
from services.connections.messages import WrongMessage
from services.connections.rates import RateLimit
from services.connections.senders import find_sender
from services.helpdesk.requests import AskedEmails, is_signed, read_emails

WRONG_SIGNATURE: Final = Answer(401, None, "The signature is wrong.")
_rates = RateLimit()
_LOOK_UP: Final = text("SELECT help_desk_customer(:connection, :keys, :address)").bindparams(
    bindparam("keys", type_=ARRAY(Text))
)


@dataclass(frozen=True, slots=True)
class PaidTotal:
    """The sum of the paid orders in one currency."""

    currency: str
    orders: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class CustomerOrder:
    """One of the newest orders; the three statuses are the words of the tables."""

    order_id: int
    order_name: str
    status: str
    delivered: bool
    refund_status: str | None
    created_at: datetime
    currency: str
    total: Decimal


@dataclass(frozen=True, slots=True)
class Renewal:
    """A subscription that renews; the order is its newest."""

    product: str
    next_renewal_at: datetime | None
    order_id: int
    order_name: str


@dataclass(frozen=True, slots=True)
class OpenRefund:
    """A refund request that is not closed yet."""

    order_id: int
    order_name: str
    status: str
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class HelpDeskCustomer:
    """The orders of one store under the customer's e-mails; `orders` and `renewals` are the numbers of all of them.

    `time_zone` is the store's. `left_out` is the number of e-mails beyond the most that are looked up.
    """

    name: str | None
    company: str | None
    orders: int
    totals: tuple[PaidTotal, ...]
    newest: tuple[CustomerOrder, ...]
    renewals: int
    next_renewals: tuple[Renewal, ...]
    refunds: tuple[OpenRefund, ...]
    time_zone: str | None
    left_out: int


def look_up(
    key: str, headers: Mapping[str, str], body: bytes, *, address: str | None
) -> HelpDeskCustomer | Answer:
    """Verify a request of a help desk (`headers` in lower case) and find its customer; an `Answer` is a refusal.

    A customer without orders is not an error. Every look-up is in the audit log, with `address`.
    """
    with jobs_transaction() as connection:
        sender = find_sender(connection, key) if is_storable(key) else None
        if sender is not None and sender.kind is not ConnectionKind.HELP_DESK:
            sender = None
        signed = is_signed(sender.secrets if sender else (), headers, body)
        if sender is None:
            return UNKNOWN
        if not signed:
            return WRONG_SIGNATURE
        if wait := _rates.seconds_to_wait(sender.id, sender.rate_per_minute):
            return too_many(wait)
        try:
            asked = read_emails(body)
        except WrongMessage as error:
            return Answer(422, error.field, error.reason)
        return _find(connection, sender.id, asked, address)


def _find(
    connection: Connection, connection_id: int, asked: AskedEmails, address: str | None
) -> HelpDeskCustomer:
    # Any: what the function returns is JSON.
    told: dict[str, Any] = connection.execute(
        _LOOK_UP, {"connection": connection_id, "keys": list(asked.keys), "address": address}
    ).scalar_one()
    return HelpDeskCustomer(
        name=told["name"],
        company=told["company"],
        orders=told["orders"],
        totals=tuple(
            PaidTotal(row["currency"], row["orders"], Decimal(row["amount"])) for row in told["totals"]
        ),
        newest=tuple(
            CustomerOrder(
                order_id=row["order_id"],
                order_name=row["order_name"],
                status=row["status"],
                delivered=row["delivered"],
                refund_status=row["refund_status"],
                created_at=datetime.fromisoformat(row["created_at"]),
                currency=row["currency"],
                total=Decimal(row["total"]),
            )
            for row in told["newest"]
        ),
        renewals=told["renewals"],
        next_renewals=tuple(
            Renewal(row["product"], _time(row["next_renewal_at"]), row["order_id"], row["order_name"])
            for row in told["next_renewals"]
        ),
        refunds=tuple(
            OpenRefund(
                row["order_id"],
                row["order_name"],
                row["status"],
                datetime.fromisoformat(row["requested_at"]),
            )
            for row in told["refunds"]
        ),
        time_zone=told["time_zone"],
        left_out=asked.left_out,
    )


def _time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
