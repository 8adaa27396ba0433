"""The refund queue as operators see it: open requests, those that nobody has taken first; closed ones, newest first."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    any_,
    case,
    cast,
    func,
    literal,
    null,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY

from db.schema.order_tables import checkout_page, orders
from db.schema.refund_tables import refund_reason, refund_request
from db.schema.statuses import RefundStatus
from services.access import Permission, Viewer
from services.errors import NotAllowed
from services.refunds.request_lock import is_awaited
from services.refunds.requests import OPEN, RefundRequest, request_of


class QueueView(StrEnum):
    OPEN = "Open"
    MINE = "Taken by me"
    CLOSED = "Closed"


PAGE: Final = 50
_FIGURES_OF_CLOSED_DAYS: Final = 90


class Cursor(NamedTuple):
    """Where the last page ended: what it was sorted by, and the request."""

    rank: int
    at: datetime
    request_id: int


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What the queue shows of a view. `stores` are technical names, none for all; `reason` is any part of a reason.

    `operator` is the account that has taken a request or closed it. `oldest_first` false: the overdue ones come first.
    """

    stores: tuple[str, ...] = ()
    reason: str = ""
    operator: int | None = None
    older_than_hours: int | None = None
    only_overdue: bool = False
    overdue_first: bool = False

    @property
    def number(self) -> int:
        """How many conditions there are."""
        conditions = (self.stores, self.reason, self.operator, self.older_than_hours, self.only_overdue)
        return sum(bool(condition) for condition in conditions)


NO_FILTER: Final = QueueFilter()


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A request with the columns of its order that the queue shows.

    `is_awaited` says whether a refund of it was recorded that is not confirmed yet: nobody can take or close it.
    `overdue_at` is when it has waited for as long as its store allows; None without such a limit.
    """

    request: RefundRequest
    order_name: str
    store: str
    total: Decimal
    currency: str
    payment_method: str | None
    is_awaited: bool
    overdue_at: datetime | None
    rank: int

    def is_overdue(self, now: datetime) -> bool:
        """Whether it is still open, and older than the store's limit."""
        return self.request.is_open and self.overdue_at is not None and self.overdue_at <= now

    def cursor(self, view: QueueView) -> Cursor:
        """The position behind this row."""
        request = self.request
        at = request.closed_at if view is QueueView.CLOSED else None
        return Cursor(self.rank, at or request.requested_at, request.id)


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """Numbers of the queue in the viewer's scope. `free` requests are open, and nobody has taken them.

    `operators` have taken an open request or closed one lately: (account, name), by name. `reasons` are those of the
    list.
    """

    open: int
    free: int
    overdue: int
    operators: tuple[tuple[int, str], ...]
    reasons: tuple[str, ...]


def find_queue(
    connection: Connection,
    viewer: Viewer,
    view: QueueView,
    *,
    queue_filter: QueueFilter = NO_FILTER,
    after: Cursor | None = None,
    limit: int = PAGE,
) -> tuple[QueueRow, ...]:
    """Requests in scope: open ones by whether somebody has taken them, then oldest first; closed ones newest first.

    `after` is the cursor of the last row of the page before. Raises `NotAllowed`.
    """
    _check(viewer)
    statement = _queue_statement(view, viewer, queue_filter, after).limit(limit)
    return tuple(
        QueueRow(
            request_of(row),
            row.order_name,
            row.store,
            row.total,
            row.order_currency,
            row.payment_method,
            row.is_awaited,
            row.overdue_at,
            row.rank,
        )
        for row in connection.execute(statement)
    )


def overdue_at() -> ColumnElement[datetime | None]:
    """When the statement's `refund_request` has waited for as long as its `checkout_page` allows; NULL for never."""
    hours = func.make_interval(0, 0, 0, 0, checkout_page.c.refund_limit_hours)
    return refund_request.c.requested_at + hours


def _is_overdue() -> ColumnElement[bool]:
    return func.coalesce(overdue_at() <= func.now(), False)


def _queue_statement(
    view: QueueView, viewer: Viewer, queue_filter: QueueFilter, after: Cursor | None
) -> Select[*tuple[object, ...]]:
    is_closed = view is QueueView.CLOSED
    rank: ColumnElement[int] = literal(0, Integer)
    if not is_closed:
        rank = case((refund_request.c.status == RefundStatus.REQUESTED, 0), else_=1)
        if queue_filter.overdue_first:
            rank = rank + case((_is_overdue(), 0), else_=2)
    statement = (
        select(
            *[refund_request.c[name] for name in RefundRequest.__slots__],
            orders.c.order_name,
            orders.c.total,
            orders.c.currency.label("order_currency"),
            orders.c.payment_method,
            checkout_page.c.name.label("store"),
            is_awaited().label("is_awaited"),
            (cast(null(), refund_request.c.requested_at.type) if is_closed else overdue_at()).label(
                "overdue_at"
            ),
            rank.label("rank"),
        )
        .join(orders, orders.c.order_id == refund_request.c.order_id)
        .join(checkout_page, checkout_page.c.id == refund_request.c.checkout_page_id)
        .where(_in_scope(viewer), *_conditions(view, queue_filter))
    )
    at, request_id = refund_request.c.requested_at, refund_request.c.id
    if is_closed:
        at = refund_request.c.closed_at
        statement = statement.where(at.is_not(None)).order_by(at.desc(), request_id.desc())
        return (
            statement
            if after is None
            else statement.where(tuple_(at, request_id) < (after.at, after.request_id))
        )
    statement = statement.where(refund_request.c.status.in_(OPEN)).order_by(rank, at, request_id)
    if view is QueueView.MINE:
        statement = statement.where(refund_request.c.taken_by == viewer.account_id)
    return statement if after is None else statement.where(tuple_(rank, at, request_id) > tuple(after))


def _conditions(view: QueueView, queue_filter: QueueFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if queue_filter.stores:
        conditions.append(checkout_page.c.name.in_(queue_filter.stores))
    if queue_filter.reason:
        conditions.append(
            func.lower(refund_request.c.reason).contains(queue_filter.reason.lower(), autoescape=True)
        )
    if queue_filter.operator is not None:
        is_closed = view is QueueView.CLOSED
        column = refund_request.c.closed_by if is_closed else refund_request.c.taken_by
        conditions.append(column == queue_filter.operator)
    if view is QueueView.CLOSED:  # what is closed does not age any more
        return conditions
    if queue_filter.older_than_hours is not None:
        age = func.make_interval(0, 0, 0, 0, queue_filter.older_than_hours)
        conditions.append(refund_request.c.requested_at <= func.now() - age)
    if queue_filter.only_overdue:
        conditions.append(_is_overdue())
    return conditions


def _in_scope(viewer: Viewer) -> ColumnElement[bool]:
    return refund_request.c.checkout_page_id == any_(
        literal([store.id for store in viewer.stores], ARRAY(BigInteger))
    )


def count_queue(connection: Connection, viewer: Viewer) -> QueueFigures:
    """The numbers above the queue and in the navigation, from one statement. Raises `NotAllowed`."""
    _check(viewer)
    operator = (
        select(refund_request.c.taken_by.label("id"), refund_request.c.taken_by_name.label("name"))
        .where(_in_scope(viewer), refund_request.c.status.in_(OPEN), refund_request.c.taken_by.is_not(None))
        .union(
            select(refund_request.c.closed_by, refund_request.c.closed_by_name).where(
                _in_scope(viewer),
                refund_request.c.closed_at
                > func.now() - func.make_interval(0, 0, 0, _FIGURES_OF_CLOSED_DAYS),
                refund_request.c.closed_by.is_not(None),
            )
        )
        .subquery()
    )
    names = (
        select(func.jsonb_object_agg(operator.c.id, operator.c.name)).select_from(operator).scalar_subquery()
    )
    reasons = select(func.array_agg(refund_reason.c.reason)).scalar_subquery()
    row = connection.execute(
        select(
            func.count().label("open"),
            func.count().filter(refund_request.c.status == RefundStatus.REQUESTED).label("free"),
            func.count().filter(_is_overdue()).label("overdue"),
            names.label("operators"),
            reasons.label("reasons"),
        )
        .select_from(refund_request)
        .join(checkout_page, checkout_page.c.id == refund_request.c.checkout_page_id)
        .where(_in_scope(viewer), refund_request.c.status.in_(OPEN))
    ).one()
    operators = sorted(
        ((int(key), str(name)) for key, name in (row.operators or {}).items()), key=lambda o: o[1]
    )
    return QueueFigures(
        row.open, row.free, row.overdue, tuple(operators), tuple(sorted(row.reasons or (), key=str.casefold))
    )


class Waiting(NamedTuple):
    """How many requests nobody has taken, and how many of all open ones are overdue."""

    free: int
    overdue: int


def count_waiting(connection: Connection, viewer: Viewer) -> Waiting:
    """The numbers in the navigation. Raises `NotAllowed`."""
    _check(viewer)
    row = connection.execute(
        select(
            func.count().filter(refund_request.c.status == RefundStatus.REQUESTED).label("free"),
            func.count().filter(_is_overdue()).label("overdue"),
        )
        .select_from(refund_request)
        .join(checkout_page, checkout_page.c.id == refund_request.c.checkout_page_id)
        .where(_in_scope(viewer), refund_request.c.status.in_(OPEN))
    ).one()
    return Waiting(row.free, row.overdue)


def _check(viewer: Viewer) -> None:
    if viewer.role not in Permission.WORK_REFUND_QUEUE.roles:
        raise NotAllowed("Only refund operators and administrators see the refund queue.")
