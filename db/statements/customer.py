"""The orders with the same e-mail or the same phone number: sums, renewals that run, and the parts of a page of them.

Each statement is built once, as those of an order in full (`order_detail`). Keys are compared with `=`, which is
leakproof, and each store is a range of the index that begins with it.
"""

from functools import cache
from typing import Any, Final, Literal

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on

from db.schema.order_tables import (
    activation_code,
    checkout_page,
    order_history,
    order_item,
    orders,
    subscription,
)
from db.schema.refund_tables import refund_request
from db.schema.statuses import (
    SUBSCRIPTION_TYPES,
    HistoryKind,
    MainStatus,
    RefundStatus,
    SubscriptionStatus,
)

Key = Literal["email_key", "phone_key"]
_STORE_IDS: Final = bindparam("store_ids", type_=ARRAY(Integer))
_ORDER_IDS: Final = bindparam("order_ids", type_=ARRAY(BigInteger))
_KEY: Final = bindparam("key", type_=Text)
_MOST: Final = bindparam("most", type_=Integer)


def _same(key: Key) -> ColumnElement[bool]:
    return and_(orders.c.checkout_page_id == any_(_STORE_IDS), orders.c[key] == _KEY)


def others_count(key: Key, *, most: int) -> ColumnElement[int]:
    """The number of other orders in the stores `store_ids` with the key of the order of the enclosing statement,
    counted to `most`."""
    other = orders.alias(f"same_{key}")
    some = (
        select(other.c.order_id)
        .where(
            other.c.checkout_page_id == any_(_STORE_IDS),
            other.c[key] == orders.c[key],
            other.c.order_id != orders.c.order_id,
        )
        .correlate(orders)
        .limit(most)
        .subquery("some")
    )
    return select(func.count()).select_from(some).scalar_subquery()


@cache
def person_statement(most: int) -> Select[Any]:  # Any: SQLAlchemy types the rows of ten columns at most
    """The person behind the order `order_id` of the stores `store_ids`, with the keys to compare by, and the numbers of
    other orders with the same ones, counted to `most`."""
    named = ("first_name", "last_name", "company_name", "country", "customer_erased")
    keys = ("email", "email_key", "phone", "phone_key")
    return select(
        orders.c.order_id,
        orders.c.order_name,
        *(orders.c[name] for name in (*keys, *named)),
        others_count("email_key", most=most).label("email_orders"),
        others_count("phone_key", most=most).label("phone_orders"),
    ).where(
        orders.c.order_id == bindparam("order_id", type_=BigInteger),
        orders.c.checkout_page_id == any_(_STORE_IDS),
    )


@cache
def sums_statement(key: Key) -> Select[Any]:
    """A row per currency: numbers of orders, sums, and the first and the last creation; the currency with most orders
    first.

    Terminated orders are tests and no money. An order that the shop deleted after its payment was given back whole;
    otherwise what counts are the sums of completed refunds, of which `unknown` have none recorded.
    """
    of_person = _of_person(key)
    refund = _refunds(of_person)
    person = of_person.c
    is_paid = and_(person.paid_at.is_not(None), person.status.in_([MainStatus.PAID, MainStatus.DELETED]))
    by_shop = and_(is_paid, person.status == MainStatus.DELETED, refund.c.order_id.is_(None))
    number = func.count()

    def summed(amount: ColumnElement[Any], condition: ColumnElement[bool]) -> ColumnElement[Any]:
        return func.coalesce(func.sum(amount).filter(condition), 0)

    return (
        select(
            person.currency,
            number.label("orders"),
            number.filter(is_paid).label("paid_orders"),
            summed(person.total, is_paid).label("paid"),
            (summed(refund.c.amount, refund.c.amount.is_not(None)) + summed(person.total, by_shop)).label(
                "refunded"
            ),
            func.coalesce(func.sum(refund.c.unknown), 0).label("unknown"),
            number.filter(person.status == MainStatus.NOT_PAID).label("unpaid_orders"),
            summed(person.total, person.status == MainStatus.NOT_PAID).label("unpaid"),
            func.min(person.created_at).label("first_at"),
            func.max(person.created_at).label("last_at"),
        )
        .select_from(of_person.outerjoin(refund, refund.c.order_id == person.order_id))
        .group_by(person.currency)
        .order_by(number.desc(), person.currency)
    )


def _of_person(key: Key) -> CTE:
    """The orders with this `key`."""
    return (
        select(
            *(
                orders.c[name]
                for name in ("order_id", "currency", "total", "status", "created_at", "paid_at")
            ),
            orders.c.refund_status,
        )
        .where(_same(key))
        .cte("of_person")
    )


def _refunds(of_person: CTE) -> CTE:
    """What was given back of each order, as far as a sum is recorded."""
    return (
        select(
            refund_request.c.order_id,
            func.sum(refund_request.c.amount).label("amount"),
            func.count().filter(refund_request.c.amount.is_(None)).label("unknown"),
        )
        .join(of_person, of_person.c.order_id == refund_request.c.order_id)
        .where(of_person.c.refund_status.is_not(None), refund_request.c.status == RefundStatus.COMPLETED)
        .group_by(refund_request.c.order_id)
        .cte("refund")
    )


@cache
def renewals_statement(key: Key) -> Select[Any]:
    """The subscriptions that run, each with its newest order, the next renewal first; at most `most`.

    `number` is the number of all.
    """
    latest = (
        select(
            subscription.c.subscription_id,
            subscription.c.type,
            subscription.c.status,
            subscription.c.next_renewal_at,
            orders.c.order_id,
            orders.c.order_name,
            checkout_page.c.name.label("store"),
            order_item.c.name.label("product"),
        )
        .join(subscription, subscription.c.order_id == orders.c.order_id)
        .join(
            order_item,
            and_(
                order_item.c.order_id == subscription.c.order_id,
                order_item.c.position == subscription.c.position,
            ),
        )
        .join(checkout_page, checkout_page.c.id == orders.c.checkout_page_id)
        .where(
            _same(key),
            orders.c.active_subscription,
            subscription.c.type.in_(SUBSCRIPTION_TYPES),
            subscription.c.status != SubscriptionStatus.CANCELLED,
            # The rule of `services.order_actions.subscriptions.shows_subscription`.
            or_(orders.c.paid_at.is_not(None), subscription.c.parent_order_id != orders.c.order_id),
        )
        .ext(distinct_on(subscription.c.checkout_page_id, subscription.c.subscription_id))
        .order_by(
            subscription.c.checkout_page_id,
            subscription.c.subscription_id,
            orders.c.created_at.desc(),
            orders.c.order_id.desc(),
        )
        .subquery("latest")
    )
    return (
        select(latest, func.count().over().label("number"))
        .order_by(latest.c.next_renewal_at.asc().nulls_last(), latest.c.order_id.desc())
        .limit(_MOST)
    )


@cache
def items_statement() -> Select[Any]:
    """The items of `order_ids` with their codes, a row for each code and for each item without one."""
    code = activation_code
    return (
        select(
            order_item.c.order_id,
            order_item.c.position,
            order_item.c.name,
            order_item.c.quantity,
            order_item.c.refunded,
            code.c.code,
            code.c.deleted,
        )
        .outerjoin(
            code, and_(code.c.order_id == order_item.c.order_id, code.c.position == order_item.c.position)
        )
        .where(order_item.c.order_id == any_(_ORDER_IDS))
        .order_by(order_item.c.order_id, order_item.c.position, code.c.number)
    )


@cache
def lines_statement() -> Select[Any]:
    """The lines about mails and the internal notes of `order_ids`, newest first; at most `most`."""
    line = order_history
    return (
        select(line.c.order_id, line.c.at, line.c.kind, line.c.text, line.c.author)
        .where(
            line.c.order_id == any_(_ORDER_IDS),
            line.c.kind.in_([HistoryKind.EMAIL, HistoryKind.NOTE]),
        )
        .order_by(line.c.at.desc(), line.c.id.desc())
        .limit(_MOST)
    )
