"""Accounts as administrators see them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, func, or_, select

from db.schema.account_tables import (
    account,
    account_page,
    account_session,
    single_sign_on_identity,
    team_member,
)
from db.settings import database_settings
from services.access import Role, Viewer, require_administrator
from services.errors import AccountNotFound
from services.text.keys import strip_edges

PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """An account and its grants: `teams` and `stores` are IDs, `stores` those granted directly. Times are aware."""

    id: int
    email: str
    name: str
    role: Role
    all_stores: bool
    must_change_password: bool
    has_second_factor: bool
    has_single_sign_on: bool
    locked_until: datetime | None
    disabled_at: datetime | None
    created_at: datetime
    teams: tuple[int, ...]
    stores: tuple[int, ...]
    open_sessions: int

    def is_locked(self, now: datetime) -> bool:
        return self.locked_until is not None and self.locked_until > now


def find_accounts(
    connection: Connection,
    viewer: Viewer,
    *,
    search_text: str = "",
    after: str | None = None,
    limit: int = PAGE,
) -> tuple[ListedAccount, ...]:
    """Accounts whose e-mail or name contains `search_text`, by e-mail; `after` (an e-mail) continues where a page
    ended.

    Raises `NotAllowed`.
    """
    require_administrator(viewer)
    statement = _accounts().order_by(account.c.email_key).limit(limit)
    if wanted := strip_edges(search_text):
        statement = statement.where(
            or_(
                func.strpos(func.fold(account.c.email), func.fold(wanted)) > 0,
                func.strpos(func.fold(account.c.name), func.fold(wanted)) > 0,
            )
        )
    if after is not None:
        statement = statement.where(account.c.email_key > func.email_key(after))
    return tuple(_listed(row) for row in connection.execute(statement).mappings())


def get_account(connection: Connection, viewer: Viewer, account_id: int) -> ListedAccount:
    """The account with this ID. Raises `NotAllowed`, `AccountNotFound`."""
    require_administrator(viewer)
    row = connection.execute(_accounts().where(account.c.id == account_id)).mappings().one_or_none()
    if row is None:
        raise AccountNotFound
    return _listed(row)


# Any: the columns are those of `ListedAccount`, more than a type can list.
def _accounts() -> Select[Any]:
    of_account = account.c.id
    teams = select(func.array_agg(team_member.c.team_id)).where(team_member.c.account_id == of_account)
    stores = select(func.array_agg(account_page.c.checkout_page_id)).where(
        account_page.c.account_id == of_account
    )
    sessions = select(func.count()).where(
        account_session.c.account_id == of_account,
        account_session.c.ended_at.is_(None),
        account_session.c.expires_at > func.now(),
        account_session.c.last_seen_at > func.now() - timedelta(minutes=database_settings().idle_minutes),
    )
    identity = single_sign_on_identity.c.account_id
    bound = select(identity).where(identity == of_account).exists()
    computed = ("teams", "stores", "open_sessions", "has_single_sign_on")
    plain = [name for name in ListedAccount.__slots__ if name not in computed]
    return select(
        *(account.c[name] for name in plain),
        teams.scalar_subquery().label("teams"),
        stores.scalar_subquery().label("stores"),
        sessions.scalar_subquery().label("open_sessions"),
        bound.label("has_single_sign_on"),
    )


def _listed(row: RowMapping) -> ListedAccount:
    values = dict(row) | {
        "role": Role(row["role"]),
        "teams": tuple(sorted(row["teams"] or ())),
        "stores": tuple(sorted(row["stores"] or ())),
    }
    return ListedAccount(**values)
