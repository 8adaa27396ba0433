"""Changes that administrators make to accounts. Passwords go to their owners by mail, never to the administrator."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, any_, delete, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import Integer

from db.errors import SqlState, sqlstate
from db.schema.account_tables import account, account_page, account_session, known_device, team, team_member
from db.schema.audit_actions import AuditAction
from db.schema.order_tables import checkout_page
from db.schema.roles_of_accounts import SessionEnd
from services.access import Role, Viewer, require_administrator
from services.accounts.creation import ONE_TIME_LIFE, add_account, checked_name, sign_in_instructions
from services.accounts.listing import ListedAccount, get_account
from services.actions import ActionResult, action
from services.authentication.passwords import hash_password, one_time_password
from services.errors import AccountNotFound, Conflict, InvalidInput
from services.mail.outbox import queue_mail
from services.mail.server_state import why_not_mailed
from services.settings import settings


class LastAdministrator(Conflict):
    message = "This is the last administrator who can sign in. Make somebody else an administrator first."


@dataclass(frozen=True, slots=True)
class Grants:
    """The grants of an account: its role, and the IDs of its teams and of stores besides theirs."""

    role: Role
    teams: tuple[int, ...] = ()
    stores: tuple[int, ...] = ()
    all_stores: bool = False


@action(AuditAction.CREATE_ACCOUNT)
def create_account(
    connection: Connection, viewer: Viewer, *, email: str, name: str, grants: Grants
) -> ActionResult:
    """Make an account and mail its login and a one-time password, valid for 72 hours.

    Raises `NotAllowed`, `InvalidInput` (fields `email`, `name`, `teams`, `stores`), `Conflict`.
    """
    require_administrator(viewer)
    account_id, password = add_account(
        connection, email=email, name=name, role=grants.role, all_stores=grants.all_stores
    )
    _insert_grants(connection, account_id, grants)
    made = get_account(connection, viewer, account_id)
    _mail_password(connection, "account", made, password)
    return ActionResult(
        f"The account of {made.name} was created. {sign_in_instructions(made.email)}",
        {"account": account_id, "role": grants.role, "teams": grants.teams, "stores": grants.stores},
    )


@action(AuditAction.CHANGE_ACCOUNT)
def change_account(
    connection: Connection, viewer: Viewer, account_id: int, *, name: str, grants: Grants
) -> ActionResult:
    """Set name, role, teams and stores. What a person may see changes with their next click; a change of role ends
    their sessions. Raises `NotAllowed`, `AccountNotFound`, `InvalidInput`, `LastAdministrator`.
    """
    name = checked_name(name)
    before = _lock_account(connection, viewer, account_id)
    connection.execute(delete(team_member).where(team_member.c.account_id == account_id))
    connection.execute(delete(account_page).where(account_page.c.account_id == account_id))
    _insert_grants(connection, account_id, grants)
    if before.role is not grants.role:
        _end_sessions(connection, account_id, SessionEnd.ROLE_CHANGED)
    # Last: administrators who change their own role may do nothing afterwards.
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
    """Mail a new one-time password and end all sessions. Raises `NotAllowed`, `AccountNotFound`, `Conflict`."""
    listed = _lock_account(connection, viewer, account_id)
    if listed.disabled_at is not None:
        raise Conflict("A disabled account gets no password. Enable it first.")
    if not settings().sign_in.passwords:
        raise Conflict("Nobody signs in with a password here.")
    if why_not := why_not_mailed(connection, listed.email):
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
    _end_sessions(connection, account_id, SessionEnd.RESET)
    _mail_password(connection, "password_reset", listed, password)
    return ActionResult(f"A new one-time password is on its way to {listed.email}.", {"account": account_id})


@action(AuditAction.DISABLE_ACCOUNT)
def disable_account(connection: Connection, viewer: Viewer, account_id: int) -> ActionResult:
    """Disable an account: nobody can sign in with it, and its sessions end at once. Raises as `change_account` does."""
    listed = _lock_account(connection, viewer, account_id)
    if account_id == viewer.account_id:
        raise Conflict("You cannot disable your own account. Another administrator can.")
    if listed.disabled_at is not None:
        raise Conflict("This account is disabled already.")
    _update(connection, account_id, disabled_at=func.now())
    _end_sessions(connection, account_id, SessionEnd.DISABLED)
    return ActionResult(f"The account of {listed.name} is disabled.", {"account": account_id})


@action(AuditAction.ENABLE_ACCOUNT)
def enable_account(connection: Connection, viewer: Viewer, account_id: int) -> ActionResult:
    """Enable a disabled account again. Raises `NotAllowed`, `AccountNotFound`, `Conflict`."""
    listed = _lock_account(connection, viewer, account_id)
    if listed.disabled_at is None:
        raise Conflict("This account is not disabled.")
    _update(connection, account_id, disabled_at=None)
    return ActionResult(f"The account of {listed.name} is enabled again.", {"account": account_id})


@action(AuditAction.UNLOCK_ACCOUNT)
def unlock_account(connection: Connection, viewer: Viewer, account_id: int) -> ActionResult:
    """Lift the lock that five wrong passwords or codes have set. Raises `NotAllowed`, `AccountNotFound`, `Conflict`."""
    listed = _lock_account(connection, viewer, account_id)
    if not listed.is_locked(datetime.now(UTC)):
        raise Conflict("This account is not locked.")
    _update(connection, account_id, failed_sign_ins=0, locked_until=None)
    _unlock_browsers(connection, account_id)
    return ActionResult(f"The account of {listed.name} is no longer locked.", {"account": account_id})


@action(AuditAction.END_SESSIONS)
def end_sessions(connection: Connection, viewer: Viewer, account_id: int) -> ActionResult:
    """Sign the account out everywhere. Raises `NotAllowed`, `AccountNotFound`."""
    listed = _lock_account(connection, viewer, account_id)
    number = _end_sessions(connection, account_id, SessionEnd.ENDED)
    sentence = f"{number} session{'' if number == 1 else 's'} of {listed.name} ended."
    return ActionResult(sentence, {"account": account_id, "sessions": number})


def _lock_account(connection: Connection, viewer: Viewer, account_id: int) -> ListedAccount:
    require_administrator(viewer)
    locked = connection.execute(
        select(account.c.id).where(account.c.id == account_id).with_for_update(key_share=True)
    ).one_or_none()
    if locked is None:
        raise AccountNotFound
    return get_account(connection, viewer, account_id)


def _update(connection: Connection, account_id: int, **values: object) -> None:
    try:
        connection.execute(update(account).where(account.c.id == account_id).values(**values))
    except DBAPIError as error:
        if sqlstate(error) == SqlState.LAST_ADMINISTRATOR:
            raise LastAdministrator from error
        raise


def _unlock_browsers(connection: Connection, account_id: int) -> None:
    """Unlock the account's known browsers as well, which have failure counts of their own."""
    connection.execute(
        update(known_device)
        .where(known_device.c.account_id == account_id)
        .values(failed_sign_ins=0, locked_until=None)
    )


def _end_sessions(connection: Connection, account_id: int, because: SessionEnd) -> int:
    result = connection.execute(
        update(account_session)
        .where(account_session.c.account_id == account_id, account_session.c.ended_at.is_(None))
        .values(ended_at=func.now(), ended_because=because)
    )
    return int(result.rowcount)


def _insert_grants(connection: Connection, account_id: int, grants: Grants) -> None:
    for field, table, ids in (("teams", team, grants.teams), ("stores", checkout_page, grants.stores)):
        among = table.c.id == any_(literal(list(ids), ARRAY(Integer)))
        if len(connection.execute(select(table.c.id).where(among)).all()) < len(set(ids)):
            raise InvalidInput(f"One of these {field} no longer exists.", field=field)
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
