"""What belongs to orders, in as few statements as it can be read with: a click waits for every one of them."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    Text,
    and_,
    any_,
    case,
    column,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from db.tables import (
    activation_code,
    order_document,
    order_history,
    order_item,
    order_relation,
    orders,
    subscription,
    subscription_event,
)

_TIME: Final = TIMESTAMP(timezone=True)


def among(of: Column[Any], order_ids: Collection[int]) -> ColumnElement[bool]:
    return of == any_(literal(list(order_ids), ARRAY(BigInteger)))


def items_statement(order_ids: Sequence[int]) -> Select[Any]:
    """Items with their codes (`code_…`, one row each) and what they subscribe to (`sub_…`).

    `queued_at` is since when a mail with the code is on its way. Sorted by order, item and code.
    """
    waiting = (
        func.waiting_licence_mails(literal(list(order_ids), ARRAY(BigInteger)))
        .table_valued(
            column("order_id", BigInteger),
            column("position", Integer),
            column("number", Integer),
            column("queued_at", _TIME),
        )
        .alias("waiting")
    )
    code, carried = activation_code, subscription
    source = (
        order_item.outerjoin(
            code, and_(code.c.order_id == order_item.c.order_id, code.c.position == order_item.c.position)
        )
        .outerjoin(
            carried,
            and_(carried.c.order_id == order_item.c.order_id, carried.c.position == order_item.c.position),
        )
        .outerjoin(
            waiting,
            and_(
                waiting.c.order_id == code.c.order_id,
                waiting.c.position == code.c.position,
                waiting.c.number == code.c.number,
            ),
        )
    )
    return (
        select(
            order_item,
            *[one.label(f"code_{one.name}") for one in (code.c.id, code.c.code, code.c.deleted)],
            waiting.c.queued_at,
            *[one.label(f"sub_{one.name}") for one in carried.c],
        )
        .select_from(source)
        .where(among(order_item.c.order_id, order_ids))
        .order_by(order_item.c.order_id, order_item.c.position, code.c.number)
    )


def happenings_statement(order_ids: Sequence[int]) -> CompoundSelect[Any]:
    """History (`what` is `event`), documents (`document`) and related orders (`relation`), newest first.

    Of a relation `id` is the other order and `kind` says what that one is to this; also when only the other order says
    so.
    """
    history, document, relation = order_history, order_document, order_relation
    opposite = case(
        {"parent": "child", "child": "parent"}, value=relation.c.relation, else_=relation.c.relation
    )
    nothing = [null().cast(Text), null().cast(Text), null().cast(BigInteger)]
    found: CompoundSelect[Any] = union_all(
        select(
            history.c.order_id,
            literal("event").label("what"),
            history.c.id,
            history.c.at,
            history.c.kind,
            history.c.text,
            history.c.author,
            history.c.document_id,
        ).where(among(history.c.order_id, order_ids)),
        select(
            document.c.order_id,
            literal("document"),
            document.c.id,
            null().cast(_TIME),
            document.c.kind,
            document.c.name,
            *nothing[1:],
        ).where(among(document.c.order_id, order_ids)),
        select(
            relation.c.order_id,
            literal("relation"),
            relation.c.related_order_id,
            null().cast(_TIME),
            relation.c.relation,
            *nothing,
        ).where(among(relation.c.order_id, order_ids)),
        select(
            relation.c.related_order_id,
            literal("relation"),
            relation.c.order_id,
            null().cast(_TIME),
            opposite,
            *nothing,
        ).where(among(relation.c.related_order_id, order_ids)),
    )
    return found.order_by(column("at").desc(), column("id").desc())


def subscriptions_statement(
    page_ids: Collection[int], subscription_ids: Collection[str]
) -> CompoundSelect[Any]:
    """The orders of these subscriptions (`what` is `member`, oldest first) and what was done to them (`event`, newest
    first)."""
    member, event = subscription, subscription_event
    found = union_all(
        select(
            literal("member").label("what"),
            member.c.checkout_page_id,
            member.c.subscription_id,
            orders.c.created_at.label("at"),
            orders.c.order_id,
            orders.c.order_name.label("name"),
            member.c.parent_order_id,
            null().cast(Text).label("action"),
            null().cast(Text).label("to_status"),
            null().cast(Text).label("reason"),
            orders.c.order_id.label("id"),
        )
        .join(orders, orders.c.order_id == member.c.order_id)
        .where(member.c.checkout_page_id.in_(page_ids), member.c.subscription_id.in_(subscription_ids)),
        select(
            literal("event"),
            event.c.checkout_page_id,
            event.c.subscription_id,
            event.c.at,
            event.c.order_id,
            event.c.changed_by,
            null().cast(BigInteger),
            event.c.action,
            event.c.to_status,
            event.c.reason,
            event.c.id,
        ).where(event.c.checkout_page_id.in_(page_ids), event.c.subscription_id.in_(subscription_ids)),
    )
    return found.order_by(column("at"), column("id"))
