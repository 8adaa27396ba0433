"""Changes of views: save, rename, share, replace the search, delete."""

from typing import Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from db.schema.account_tables import team
from db.schema.audit_actions import AuditAction
from db.schema.view_tables import order_view
from services.access import Viewer
from services.actions import ActionResult, action
from services.errors import Conflict, InvalidInput
from services.orders.filters import OrderFilter
from services.text.input import checked_text
from services.views.models import ExportChoice, NotYourView, ViewNotFound

NAME_LIMIT: Final = 60
MOST_VIEWS: Final = 50


@action(AuditAction.SAVE_VIEW)
def save_view(
    connection: Connection,
    viewer: Viewer,
    *,
    name: str,
    team_id: int | None,
    search: OrderFilter,
    export: ExportChoice,
) -> ActionResult:
    """Save a search under a name, for the viewer alone or for a team.

    Raises `InvalidInput` (fields `name`, `team`), and `Conflict` when the viewer has 50 views already.
    """
    name = _checked_name(name)
    team_name = _team_name(connection, team_id)
    own = select(func.count()).select_from(order_view).where(order_view.c.account_id == viewer.account_id)
    if connection.execute(own).scalar_one() >= MOST_VIEWS:
        raise Conflict(f"You have {MOST_VIEWS} views already. Please delete one that you no longer need.")
    _check_is_new(connection, viewer.account_id, name, team_id, None)
    view_id = connection.execute(
        insert(order_view)
        .values(
            account_id=viewer.account_id,
            team_id=team_id,
            name=name,
            filters=search.to_json(relative=True),
            export=export.to_json(),
        )
        .returning(order_view.c.id)
    ).scalar_one()
    whose = f" for the team {team_name}" if team_name else ""
    return ActionResult(f"The view {name} was saved{whose}.", {"view": view_id, "team": team_id})


@action(AuditAction.CHANGE_VIEW)
def change_view(
    connection: Connection,
    viewer: Viewer,
    view_id: int,
    *,
    name: str,
    team_id: int | None,
    search: OrderFilter | None = None,
    export: ExportChoice | None = None,
) -> ActionResult:
    """Rename a view, share it or take it back, and replace its search and its export where these are given.

    Raises `ViewNotFound`, `NotYourView`, `InvalidInput` (fields `name`, `team`).
    """
    view = _lock_view(connection, viewer, view_id)
    name = _checked_name(name)
    values: dict[str, object] = {"name": name}
    if team_id != view.team_id:
        if team_id is None and view.account_id != viewer.account_id:
            raise InvalidInput("Only its author can take this view back from the team.", field="team")
        _team_name(connection, team_id)
        values["team_id"] = team_id
    _check_is_new(connection, view.account_id, name, team_id, view_id)
    if search is not None:
        values["filters"] = search.to_json(relative=True)
    if export is not None:
        values["export"] = export.to_json()
    connection.execute(update(order_view).where(order_view.c.id == view_id).values(values))
    return ActionResult(
        f"The view {name} was changed.", {"view": view_id, "changed": sorted(values), "team": team_id}
    )


@action(AuditAction.DELETE_VIEW)
def delete_view(connection: Connection, viewer: Viewer, view_id: int) -> ActionResult:
    """Delete a view, for everybody who has it. Raises `ViewNotFound`, `NotYourView`."""
    view = _lock_view(connection, viewer, view_id)
    connection.execute(delete(order_view).where(order_view.c.id == view_id))
    return ActionResult(f"The view {view.name} was deleted.", {"view": view_id, "team": view.team_id})


def _lock_view(connection: Connection, viewer: Viewer, view_id: int) -> Row[int, int | None, str]:
    columns = select(order_view.c.account_id, order_view.c.team_id, order_view.c.name)
    view = connection.execute(columns.where(order_view.c.id == view_id)).one_or_none()
    if view is None:
        raise ViewNotFound
    if view.account_id != viewer.account_id and not viewer.may_administer:
        raise NotYourView
    locked = connection.execute(columns.where(order_view.c.id == view_id).with_for_update()).one_or_none()
    if locked is None:  # deleted, or taken back by its author, while the lock was waited for
        raise ViewNotFound
    return locked


def _checked_name(name: str) -> str:
    name = " ".join(checked_text(name, field="name", name="The name", limit=NAME_LIMIT).split())
    if not name.isprintable() or len(name) > NAME_LIMIT:
        raise InvalidInput(f"A view's name has 1 to {NAME_LIMIT} characters.", field="name")
    return name


def _team_name(connection: Connection, team_id: int | None) -> str | None:
    if team_id is None:
        return None
    # Row-level security shows the viewer's own teams, and administrators all.
    name = connection.execute(select(team.c.name).where(team.c.id == team_id)).scalar_one_or_none()
    if name is None:
        raise InvalidInput("This team does not exist any longer, or is not yours.", field="team")
    return str(name)


def _check_is_new(
    connection: Connection, account_id: int, name: str, team_id: int | None, own: int | None
) -> None:
    """Two of one name beside each other could not be told apart."""
    beside = order_view.c.team_id == team_id if team_id is not None else order_view.c.team_id.is_(None)
    same = select(order_view.c.id).where(
        func.fold(order_view.c.name) == func.fold(name), order_view.c.id.is_distinct_from(own), beside
    )
    if team_id is None:
        same = same.where(order_view.c.account_id == account_id)
    if connection.execute(same).first() is not None:
        raise InvalidInput("There is a view of this name already.", field="name")
