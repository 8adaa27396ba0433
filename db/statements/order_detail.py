"""An order and its parts, read in as few statements as possible: a click waits for every one of them.

Each statement is built once and takes its orders as parameters. Building it anew for every click would cost about as
much as PostgreSQL's answer.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Column,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    case,
    column,
    func,
    literal,
    null,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP, insert

from db.schema.connection_states import AwaitedKind, AwaitedState
from db.schema.connection_tables import awaited_action, connection
from db.schema.order_tables import (
    activation_code,
    checkout_page,
    order_document,
    order_history,
    order_item,
    order_relation,
    orders,
    subscription,
    subscription_event,
)
from db.schema.refund_tables import refund_request
from db.schema.view_tables import opened_orders
from db.statements.customer import others_count

COUNTED_TO: Final = 101
_CODE_COLUMNS: Final = ("id", "code", "code_key", "deleted", "replaced_at")
_TIME: Final = TIMESTAMP(timezone=True)
_ORDER_IDS: Final = bindparam("order_ids", type_=ARRAY(BigInteger))
_PAGE_IDS: Final = bindparam("store_ids", type_=ARRAY(Integer))

_OPPOSITES: Final = {"parent": "child", "child": "parent"}


def _among(of: Column[Any]) -> ColumnElement[bool]:
    return of == any_(_ORDER_IDS)


@cache
def orders_statement() -> Select[Any]:
    """The orders of `order_ids` that are in the stores `store_ids`, each with the rules of its store, and with the
    number of other orders that have the same e-mail, counted to `COUNTED_TO`."""
    return (
        select(
            checkout_page.c.name.label("store"),
            checkout_page.c.delivery_allowed,
            checkout_page.c.refund_again_after_partial,
            others_count("email_key", most=COUNTED_TO).label("other_orders"),
            orders,
        )
        .join(checkout_page, checkout_page.c.id == orders.c.checkout_page_id)
        .where(_among(orders.c.order_id), orders.c.checkout_page_id == any_(_PAGE_IDS))
    )


@cache
def opening_statement() -> Select[Any]:
    """The same orders; those that the viewer sees are remembered as opened, in this one statement.

    The commit is not waited for: after a crash the list would lack the last order opened.
    """
    seen = select(func.viewer_id(), func.array_agg(orders.c.order_id)).where(_among(orders.c.order_id))
    added = insert(opened_orders).from_select(
        ["account_id", "order_ids"], seen.having(func.count() > 0), include_defaults=False
    )
    remembered = added.on_conflict_do_update(
        index_elements=["account_id"],
        set_={
            "order_ids": text(
                "(excluded.order_ids || array_remove(opened_orders.order_ids, excluded.order_ids[1]))[1:10]"
            )
        },
    )
    at_once = func.set_config("synchronous_commit", "off", True)
    return orders_statement().add_columns(at_once.label("at_once")).add_cte(remembered.cte("remembered"))


@cache
def names_statement() -> Select[Any]:
    """The names of those of `order_ids` that the viewer may see."""
    return select(orders.c.order_id, orders.c.order_name).where(_among(orders.c.order_id))


@cache
def requests_statement() -> Select[Any]:
    """The refund requests of `order_ids`, newest first."""
    return (
        select(refund_request).where(_among(refund_request.c.order_id)).order_by(refund_request.c.id.desc())
    )


@cache
def items_statement() -> Select[Any]:
    """The items of `order_ids` with their codes (`code_…`, one row each) and their subscriptions (`sub_…`).

    `queued_at` is since when a mail with the code is on its way. Sorted by order, item and code.
    """
    waiting = (
        func.waiting_licence_mails(_ORDER_IDS)
        .table_valued(
            column("order_id", BigInteger),
            column("position", Integer),
            column("number", Integer),
            column("queued_at", _TIME),
        )
        .alias("waiting")
    )
    code, part = activation_code, subscription
    source = (
        order_item.outerjoin(
            code, and_(code.c.order_id == order_item.c.order_id, code.c.position == order_item.c.position)
        )
        .outerjoin(
            part,
            and_(part.c.order_id == order_item.c.order_id, part.c.position == order_item.c.position),
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
            *[
                source_column.label(f"code_{source_column.name}")
                for source_column in (code.c[name] for name in _CODE_COLUMNS)
            ],
            waiting.c.queued_at,
            *[source_column.label(f"sub_{source_column.name}") for source_column in part.c],
        )
        .select_from(source)
        .where(_among(order_item.c.order_id))
        .order_by(order_item.c.order_id, order_item.c.position, code.c.number)
    )


@cache
def timeline_statement() -> CompoundSelect[Any]:
    """Of `order_ids`: history (`what` is `event`), documents (`document`), related orders (`relation`), and actions
    that a connection has to confirm (`awaited`: `text` is their row as JSON, `kind` that of the connection).

    Newest first. In a relation, `id` is the other order and `kind` its relation to this one, even when only the other
    order states it.
    """
    history, document, relation = order_history, order_document, order_relation
    opposite = case(_OPPOSITES, value=relation.c.relation, else_=relation.c.relation)
    nothing = [null().cast(kind) for kind in (Text, Text, BigInteger)]
    timeline: CompoundSelect[Any] = union_all(
        select(
            history.c.order_id,
            literal("event").label("what"),
            history.c.id,
            history.c.at,
            history.c.kind,
            history.c.text,
            history.c.author,
            history.c.document_id,
        ).where(_among(history.c.order_id)),
        select(
            document.c.order_id,
            literal("document"),
            document.c.id,
            null().cast(_TIME),
            document.c.kind,
            document.c.name,
            *nothing[1:],
        ).where(_among(document.c.order_id)),
        select(
            relation.c.order_id,
            literal("relation"),
            relation.c.related_order_id,
            null().cast(_TIME),
            relation.c.relation,
            *nothing,
        ).where(_among(relation.c.order_id)),
        select(
            relation.c.related_order_id,
            literal("relation"),
            relation.c.order_id,
            null().cast(_TIME),
            opposite,
            *nothing,
        ).where(_among(relation.c.related_order_id)),
        _awaited_actions(),
    )
    return timeline.order_by(column("at").desc(), column("id").desc())


def _awaited_actions() -> Select[Any]:
    """The part of `timeline_statement` for actions that a connection has to confirm."""
    action = awaited_action
    kind = select(connection.c.kind).where(connection.c.id == action.c.connection_id).scalar_subquery()
    return select(
        action.c.order_id,
        literal("awaited"),
        null().cast(BigInteger),
        action.c.recorded_at,
        kind,
        func.to_jsonb(action.table_valued()).cast(Text),
        null().cast(Text),
        null().cast(BigInteger),
    ).where(_among(action.c.order_id))


@cache
def subscriptions_statement() -> CompoundSelect[Any]:
    """The orders of the subscriptions `subscription_ids` of the stores `store_ids` (`what` is `member`, oldest first).

    Also the changes that were made to these subscriptions (`event`, newest first), and since when a change waits to be
    confirmed (`awaited`).
    """
    member, event = subscription, subscription_event
    named = bindparam("subscription_ids", type_=ARRAY(Text))
    rows = union_all(
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
        .where(member.c.checkout_page_id == any_(_PAGE_IDS), member.c.subscription_id == any_(named)),
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
        ).where(event.c.checkout_page_id == any_(_PAGE_IDS), event.c.subscription_id == any_(named)),
        _awaited_changes(named),
    )
    return rows.order_by(column("at"), column("id"))


def _awaited_changes(subscription_ids: BindParameter[Sequence[str]]) -> Select[Any]:
    """The part of `subscriptions_statement` for changes that have to be confirmed and are not yet."""
    action = awaited_action
    nothing = [null().cast(kind) for kind in (Text, BigInteger, Text, Text, Text, BigInteger)]
    return select(
        literal("awaited"),
        action.c.checkout_page_id,
        action.c.subject,
        action.c.recorded_at,
        action.c.order_id,
        *nothing,
    ).where(
        action.c.checkout_page_id == any_(_PAGE_IDS),
        action.c.kind.in_([AwaitedKind.CANCEL_SUBSCRIPTION, AwaitedKind.RESUME_SUBSCRIPTION]),
        action.c.subject == any_(subscription_ids),
        action.c.state.in_([AwaitedState.RECORDED, AwaitedState.SENT]),
    )
