"""Teams, for administrators."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import Connection, any_, delete, func, insert, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Integer

from db.schema.account_tables import account, team, team_member, team_page
from db.schema.audit_actions import AuditAction
from db.schema.order_tables import checkout_page
from services.access import Viewer, require_administrator
from services.actions import ActionResult, action
from services.errors import Conflict, InvalidInput, NotFound

_MOST_PEOPLE: Final = 10_000


class TeamNotFound(NotFound):
    message = "There is no such team."


@dataclass(frozen=True, slots=True)
class ListedTeam:
    """A team: `members` are (account ID, name), `stores` the IDs of stores."""

    id: int
    name: str
    members: tuple[tuple[int, str], ...]
    stores: tuple[int, ...]


def find_teams(connection: Connection, viewer: Viewer) -> tuple[ListedTeam, ...]:
    """All teams, by name. Raises `NotAllowed`."""
    require_administrator(viewer)
    members: dict[int, list[tuple[int, str]]] = {}
    for row in connection.execute(
        select(team_member.c.team_id, account.c.id, account.c.name)
        .join(account, account.c.id == team_member.c.account_id)
        .order_by(account.c.name)
    ):
        members.setdefault(row.team_id, []).append((row.id, row.name))
    stores: dict[int, list[int]] = {}
    for team_id, page_id in connection.execute(select(team_page.c.team_id, team_page.c.checkout_page_id)):
        stores.setdefault(team_id, []).append(page_id)
    return tuple(
        ListedTeam(row.id, row.name, tuple(members.get(row.id, ())), tuple(sorted(stores.get(row.id, ()))))
        for row in connection.execute(select(team.c.id, team.c.name).order_by(func.fold(team.c.name)))
    )


class Person(NamedTuple):
    """An account that can be a member of a team."""

    id: int
    name: str
    email: str


def find_people(connection: Connection, viewer: Viewer) -> tuple[Person, ...]:
    """The first 10,000 accounts by e-mail. Raises `NotAllowed`."""
    require_administrator(viewer)
    people = select(account.c.id, account.c.name, account.c.email)
    ordered = people.order_by(account.c.email_key).limit(_MOST_PEOPLE)
    return tuple(Person(row.id, row.name, row.email) for row in connection.execute(ordered))


@action(AuditAction.CREATE_TEAM)
def create_team(
    connection: Connection, viewer: Viewer, *, name: str, members: Sequence[int], stores: Sequence[int]
) -> ActionResult:
    """Create a team. Raises `NotAllowed`, `InvalidInput` (fields `name`, `members`, `stores`)."""
    require_administrator(viewer)
    name = _team_name(connection, name, None)
    team_id = connection.execute(insert(team).values(name=name).returning(team.c.id)).scalar_one()
    _insert_members_and_stores(connection, team_id, members, stores)
    return ActionResult(
        f"The team {name} was created.", {"team": team_id, "members": list(members), "stores": list(stores)}
    )


@action(AuditAction.CHANGE_TEAM)
def change_team(
    connection: Connection,
    viewer: Viewer,
    team_id: int,
    *,
    name: str,
    members: Sequence[int],
    stores: Sequence[int],
) -> ActionResult:
    """Set name, members and stores. Raises `NotAllowed`, `TeamNotFound`, `InvalidInput`."""
    _lock_team(connection, viewer, team_id)
    name = _team_name(connection, name, team_id)
    connection.execute(update(team).where(team.c.id == team_id).values(name=name))
    connection.execute(delete(team_member).where(team_member.c.team_id == team_id))
    connection.execute(delete(team_page).where(team_page.c.team_id == team_id))
    _insert_members_and_stores(connection, team_id, members, stores)
    return ActionResult(
        f"The team {name} was saved.", {"team": team_id, "members": list(members), "stores": list(stores)}
    )


@action(AuditAction.DELETE_TEAM)
def delete_team(connection: Connection, viewer: Viewer, team_id: int) -> ActionResult:
    """Delete a team. Its members keep the stores that they have from elsewhere. Raises `NotAllowed`, `TeamNotFound`."""
    name = _lock_team(connection, viewer, team_id)
    connection.execute(delete(team).where(team.c.id == team_id))
    return ActionResult(f"The team {name} was deleted.", {"team": team_id, "name": name})


def _lock_team(connection: Connection, viewer: Viewer, team_id: int) -> str:
    require_administrator(viewer)
    name = connection.execute(
        select(team.c.name).where(team.c.id == team_id).with_for_update(key_share=True)
    ).scalar_one_or_none()
    if name is None:
        raise TeamNotFound
    return str(name)


def _team_name(connection: Connection, name: str, own: int | None) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise InvalidInput("A team's name has 1 to 100 characters.", field="name")
    same = select(team.c.id).where(
        func.fold(team.c.name) == text("fold(:name)"), team.c.id.is_distinct_from(own)
    )
    if connection.execute(same, {"name": name}).first() is not None:
        raise InvalidInput("There is a team of this name already.", field="name")
    return name


def _insert_members_and_stores(
    connection: Connection, team_id: int, members: Sequence[int], stores: Sequence[int]
) -> None:
    for field, table, ids in (("members", account, members), ("stores", checkout_page, stores)):
        among = table.c.id == any_(literal(list(ids), ARRAY(Integer)))
        if len(connection.execute(select(table.c.id).where(among)).all()) < len(set(ids)):
            raise Conflict(f"One of these {field} no longer exists.")
    for account_id in sorted(set(members)):
        connection.execute(insert(team_member).values(team_id=team_id, account_id=account_id))
    for page_id in sorted(set(stores)):
        connection.execute(insert(team_page).values(team_id=team_id, checkout_page_id=page_id))
