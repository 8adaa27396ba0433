"""Accounts as administrators see and change them. Passwords go to their owners by mail, never to the administrator."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, any_, delete, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import Integer

from db.errors import SqlState, sqlstate
from db.schema.audit_actions import AuditAction
from db.schema.tables import (
    account,
    account_page,
    account_session,
    checkout_page,
    known_device,
    single_sign_on_identity,
    team,
    team_member,
)
from db.settings import database_settings
from services.access import Role, Viewer, require_administrator
from services.accounts.creation import ONE_TIME_LIFE, add_account, checked_name, way_in
from services.actions import ActionResult, action
from services.authentication.passwords import hash_password, one_time_password
from services.errors import AccountNotFound, Conflict, InvalidInput
from services.mail.outbox import queue_mail
from services.mail.server_state import why_not_mailed
from services.settings import settings
from services.text.keys import strip_edges

PAGE: Final = 50


class LastAdministrator(Conflict):
    message = "This is the last administrator who can sign in. Make somebody else an administrator first."


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """An account with what it sees: `teams` and `stores` are IDs, stores those granted directly. Times are aware."""

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


@dataclass(frozen=True, slots=True)
class Grants:
    """What an account is given: its role, and the IDs of its teams and of the stores beside them."""

    role: Role
    teams: tuple[int, ...] = ()
    stores: tuple[int, ...] = ()
    all_stores: bool = False


def find_accounts(
    connection: Connection, viewer: Viewer, *, words: str = "", after: str | None = None, limit: int = PAGE
) -> tuple[ListedAccount, ...]:
    """Accounts whose e-mail or name contains `words`, by e-mail; `after` (an e-mail) goes on where a page ended.

    Raises `NotAllowed`.
    """
    require_administrator(viewer)
    statement = _accounts().order_by(account.c.email_key).limit(limit)
    if wanted := strip_edges(words):
        statement = statement.where(
            or_(
                func.strpos(func.fold(account.c.email), func.fold(wanted)) > 0,
                func.strpos(func.fold(account.c.name), func.fold(wanted)) > 0,
            )
        )
    if after is not None:
        statement = statement.where(account.c.email_key > func.email_key(after))
    return tuple(_listed(row) for row in connection.execute(statement))


def get_account(connection: Connection, viewer: Viewer, account_id: int) -> ListedAccount:
    """Raises `NotAllowed`, `AccountNotFound`."""
    require_administrator(viewer)
    row = connection.execute(_accounts().where(account.c.id == account_id)).one_or_none()
    if row is None:
        raise AccountNotFound
    return _listed(row)


@action(AuditAction.CREATE_ACCOUNT)
def create_account(
    connection: Connection, viewer: Viewer, *, email: str, name: str, grants: Grants
) -> ActionResult:
    """Makes an account and mails its login and a one-time password, good for 72 hours.

    Raises `NotAllowed`, `InvalidInput` (fields `email`, `name`, `teams`, `stores`), `Conflict`.
    """
    require_administrator(viewer)
    account_id, password = add_account(
        connection, email=email, name=name, role=grants.role, all_stores=grants.all_stores
    )
    _give(connection, account_id, grants)
    made = get_account(connection, viewer, account_id)
    _mail_password(connection, "account", made, password)
    return ActionResult(
        f"The account of {made.name} was created. {way_in(made.email)}",
        {"account": account_id, "role": grants.role, "teams": grants.teams, "stores": grants.stores},
    )


@action(AuditAction.CHANGE_ACCOUNT)
def change_account(
    connection: Connection, viewer: Viewer, account_id: int, *, name: str, grants: Grants
) -> ActionResult:
    """Sets name, role, teams and stores. What somebody may see changes with their next click; another role ends their
    sessions. Raises `NotAllowed`, `AccountNotFound`, `InvalidInput`, `LastAdministrator`."""
    name = checked_name(name)
    before = _locked(connection, viewer, account_id)
    connection.execute(delete(team_member).where(team_member.c.account_id == account_id))
    connection.execute(delete(account_page).where(account_page.c.account_id == account_id))
    _give(connection, account_id, grants)
    if before.role is not grants.role:
        _end_sessions(connection, account_id, "role changed")
    # Last: an administrator who gives up being one may do nothing afterwards.
    _update(connection, account_id, name=name, role=grants.role, all_stores=grants.all_stores)
    return ActionResult(
        f"The account of {name} was saved.",
        {
            "account": account_id,
            "from": {
                "role": before.role,
                "teams": before.teams,
                "stores": before.stores,
                "all": before.all_stores,
            },
            "to": {
                "role": grants.role,
                "teams": grants.teams,
                "stores": grants.stores,
                "all": grants.all_stores,
            },
        },
    )


@action(AuditAction.RESET_PASSWORD)
def reset_password(connection: Connection, viewer: Viewer, account_id: int) -> ActionResult:
    """Mails a new one-time password and ends all sessions. Raises `NotAllowed`, `AccountNotFound`, `Conflict`."""
    known = _locked(connection, viewer, account_id)
    if known.disabled_at is not None:
        raise Conflict("A disabled account gets no password. Enable it first.")
    if not settings().sign_in.passwords:
        raise Conflict("Nobody signs in with a password here.")
    if why_not := why_not_mailed(connection, known.email):
        raise Conflict(why_not)
    password = one_time_password()
    _update(
        connection,
        account_id,
        password_hash=hash_password(password),
        must_change_password=True,
        one_time_until=func.now() + ONE_TIME_LIFE,
        failed_sign_ins=0,
        locked_until=None,
    )
    _unlock_browsers(connection, account_id)
    _end_sessions(connection, account_id, "reset")
    _mail_password(connection, "password_reset", known, password)
    return ActionResult(f"A new one-time password is on its way to {known.email}.", {"account": account_id})


@action(AuditAction.DISABLE_ACCOUNT)
def disable_account(connection: Connection, viewer: Viewer, account_id: int) -> ActionResult:
    """Nobody signs in with it any more, and its sessions end at once. Raises as `change_account` does."""
    known = _locked(connection, viewer, account_id)
    if account_id == viewer.account_id:
        raise Conflict("Nobody disables their own account. Another administrator can.")
    if known.disabled_at is not None:
        raise Conflict("This account is disabled already.")
    _update(connection, account_id, disabled_at=func.now())
    _end_sessions(connection, account_id, "disabled")
    return ActionResult(f"The account of {known.name} is disabled.", {"account": account_id})


@action(AuditAction.ENABLE_ACCOUNT)
def enable_account(connection: Connection, viewer: Viewer, account_id: int) -> ActionResult:
    """Raises `NotAllowed`, `AccountNotFound`, `Conflict`."""
    known = _locked(connection, viewer, account_id)
    if known.disabled_at is None:
        raise Conflict("This account is not disabled.")
    _update(connection, account_id, disabled_at=None)
    return ActionResult(f"The account of {known.name} is enabled again.", {"account": account_id})


@action(AuditAction.UNLOCK_ACCOUNT)
def unlock_account(connection: Connection, viewer: Viewer, account_id: int) -> ActionResult:
    """Ends the lock of five wrong passwords or codes early. Raises `NotAllowed`, `AccountNotFound`, `Conflict`."""
    known = _locked(connection, viewer, account_id)
    if not known.is_locked(datetime.now(UTC)):
        raise Conflict("This account is not locked.")
    _update(connection, account_id, failed_sign_ins=0, locked_until=None)
    _unlock_browsers(connection, account_id)
    return ActionResult(f"The account of {known.name} is not locked any more.", {"account": account_id})


@action(AuditAction.END_SESSIONS)
def end_sessions(connection: Connection, viewer: Viewer, account_id: int) -> ActionResult:
    """Signs the account out everywhere. Raises `NotAllowed`, `AccountNotFound`."""
    known = _locked(connection, viewer, account_id)
    number = _end_sessions(connection, account_id, "ended")
    words = f"{number} session{'' if number == 1 else 's'} of {known.name} ended."
    return ActionResult(words, {"account": account_id, "sessions": number})


def _accounts() -> Any:
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


def _listed(row: Any) -> ListedAccount:
    values = dict(row._mapping)
    values |= {
        "role": Role(row.role),
        "teams": tuple(sorted(row.teams or ())),
        "stores": tuple(sorted(row.stores or ())),
    }
    return ListedAccount(**values)


def _locked(connection: Connection, viewer: Viewer, account_id: int) -> ListedAccount:
    require_administrator(viewer)
    known = connection.execute(
        select(account.c.id).where(account.c.id == account_id).with_for_update(key_share=True)
    ).one_or_none()
    if known is None:
        raise AccountNotFound
    return get_account(connection, viewer, account_id)


def _update(connection: Connection, account_id: int, **values: Any) -> None:
    try:
        connection.execute(update(account).where(account.c.id == account_id).values(**values))
    except DBAPIError as error:
        if sqlstate(error) == SqlState.LAST_ADMINISTRATOR:
            raise LastAdministrator from error
        raise


def _unlock_browsers(connection: Connection, account_id: int) -> None:
    """The browsers that the account is known at have counts of their own."""
    connection.execute(
        update(known_device)
        .where(known_device.c.account_id == account_id)
        .values(failed_sign_ins=0, locked_until=None)
    )


def _end_sessions(connection: Connection, account_id: int, because: str) -> int:
    result = connection.execute(
        update(account_session)
        .where(account_session.c.account_id == account_id, account_session.c.ended_at.is_(None))
        .values(ended_at=func.now(), ended_because=because)
    )
    return int(result.rowcount)


def _give(connection: Connection, account_id: int, grants: Grants) -> None:
    for field, table, ids in (("teams", team, grants.teams), ("stores", checkout_page, grants.stores)):
        among = table.c.id == any_(literal(list(ids), ARRAY(Integer)))
        if len(connection.execute(select(table.c.id).where(among)).all()) < len(set(ids)):
            raise InvalidInput(f"One of these {field} does not exist any more.", field=field)
    for team_id in sorted(set(grants.teams)):
        connection.execute(insert(team_member).values(account_id=account_id, team_id=team_id))
    for page_id in sorted(set(grants.stores)):
        connection.execute(insert(account_page).values(account_id=account_id, checkout_page_id=page_id))


def _mail_password(connection: Connection, kind: str, to: ListedAccount, password: str) -> None:
    queue_mail(
        connection,
        kind=kind,
        to_address=to.email,
        to_name=to.name,
        template_values={
            "name": to.name,
            "login": to.email,
            "password": password if settings().sign_in.passwords else None,
            "provider": provider.name if (provider := settings().sign_in.provider) else None,
            "address": settings().web.base_url,
        },
        account_id=to.id,
    )
