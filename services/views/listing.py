"""The views that a viewer has: their own and their teams', in an order of their own, with the numbers of orders."""

from collections.abc import Iterable
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, and_, any_, delete, func, insert, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import OperationalError
from sqlalchemy.types import Integer

from db.errors import SqlState, sqlstate
from db.schema.account_tables import team
from db.schema.view_tables import order_view, order_view_place
from services.access import Viewer
from services.errors import InvalidInput
from services.orders.filters import OrderFilter, SearchInput, parse_filter
from services.orders.search import OrderCount, count_orders
from services.views.models import ExportChoice, OrderView, ViewNotFound, ViewTeam, with_periods

MOST_SHOWN: Final = 200


def find_views(connection: Connection, viewer: Viewer) -> tuple[OrderView, ...]:
    """The viewer's views and those of their teams, for administrators those of every team, at most 200.

    In the viewer's own order; what was never moved comes last, their own before their teams'.
    """
    place = order_view_place
    mine = and_(place.c.view_id == order_view.c.id, place.c.account_id == viewer.account_id)
    statement = (
        select(order_view, team.c.name.label("team_name"))
        .outerjoin(team, team.c.id == order_view.c.team_id)
        .outerjoin(place, mine)
        .order_by(place.c.place.nulls_last(), order_view.c.team_id.nulls_first(), order_view.c.id)
        .limit(MOST_SHOWN)
    )
    return tuple(
        OrderView(
            id=row.id,
            name=row.name,
            team=None if row.team_name is None else ViewTeam(row.team_id, row.team_name),
            typed=_typed(row.filters),
            export=ExportChoice.from_json(row.export),
            is_mine=row.account_id == viewer.account_id,
            may_change=row.account_id == viewer.account_id or viewer.may_administer,
        )
        for row in connection.execute(statement)
    )


def find_view(connection: Connection, viewer: Viewer, view_id: int) -> OrderView:
    """One of the viewer's views, as it is now. Raises `ViewNotFound`."""
    view = next((view for view in find_views(connection, viewer) if view.id == view_id), None)
    if view is None:
        raise ViewNotFound
    return view


def find_view_teams(connection: Connection, viewer: Viewer) -> tuple[ViewTeam, ...]:
    """The teams with which the viewer may share a view: their own, for administrators all, by name."""
    teams = select(team.c.id, team.c.name).order_by(func.fold(team.c.name))  # row-level security: one's own
    return tuple(ViewTeam(row.id, row.name) for row in connection.execute(teams))


def count_views(
    connection: Connection, viewer: Viewer, views: Iterable[OrderView], *, zone: ZoneInfo
) -> dict[int, OrderCount]:
    """The number of orders of each view in the viewer's own scope, days meant in `zone`, by the view's ID.

    A view that cannot be read or whose orders take too long to count has no number.
    """
    counts = {}
    for view in views:
        try:
            with connection.begin_nested():
                counts[view.id] = count_orders(
                    connection, viewer, parse_filter(view.typed or _none(), zone=zone)
                )
        except InvalidInput:
            continue
        except OperationalError as error:
            if sqlstate(error) != SqlState.QUERY_CANCELED:
                raise
    return counts


def move_view(connection: Connection, viewer: Viewer, view_id: int, *, up: bool) -> None:
    """Put a view one place up or down in the viewer's own order. Raises `ViewNotFound`."""
    ids = [view.id for view in find_views(connection, viewer)]
    if view_id not in ids:
        raise ViewNotFound
    old = ids.index(view_id)
    new = max(0, min(old + (-1 if up else 1), len(ids) - 1))
    ids.insert(new, ids.pop(old))
    place = order_view_place
    among = place.c.view_id == any_(literal(ids, ARRAY(Integer)))
    connection.execute(delete(place).where(place.c.account_id == viewer.account_id, among))
    rows = [{"account_id": viewer.account_id, "view_id": id_, "place": n} for n, id_ in enumerate(ids)]
    connection.execute(insert(place), rows)


def _typed(stored: object) -> SearchInput | None:
    try:
        return with_periods(OrderFilter.from_json(stored).typed)  # type: ignore[arg-type]  # checked there
    except InvalidInput:
        return None


def _none() -> SearchInput:
    raise InvalidInput
