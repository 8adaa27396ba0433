"""What people change about their own account. `python -m services.accounts create-admin --email …` makes an
administrator and prints a one-time password; `… unlock --email …` ends a lock."""

import argparse
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.exc import OperationalError

from db.connections.engine import (
    anonymous_transaction,
    dispose_engines,
    jobs_transaction,
    owner_url,
    viewer_transaction,
)
from db.embedded.local_secrets import DataFolderError
from db.embedded.server import EmbeddedDatabaseError
from db.schema.audit_actions import AuditAction
from db.schema.migrate import migrate
from db.schema.tables import account_session, audit_log
from db.settings import SettingsError, settings
from services.access import Role, Viewer
from services.accounts.creation import create_account
from services.authentication import passwords, sessions
from services.authentication.security_mails import Change, announce
from services.errors import InvalidInput, SupportError

WRONG_CURRENT = "This is not your current password, or the account is locked for now."


def change_own_password(
    viewer: Viewer,
    *,
    new: str,
    repeated: str,
    current: str | None,
    address: str | None,
    browser: str | None = None,
    device: str | None = None,
) -> None:
    """Sets the viewer's password and ends every session of theirs but this one; a mail tells the viewer.

    `current` is asked for unless the password must be changed, right after signing in with a one-time one; a wrong
    one counts as a failed sign-in, so that an open screen is no place for guessing. Raises `InvalidInput` with
    `field` one of `current`, `new`, `repeated`.
    """
    passwords.check_new_password(new, repeated, email=viewer.email)
    proof = None
    if not viewer.must_change_password:
        proof = prove(viewer, current, address=address, device=device, field="current")
    with viewer_transaction(viewer.account_id) as connection:
        salt = connection.execute(text("SELECT own_password_salt()")).scalar_one_or_none()
    with passwords.hashing_turn():
        with_old_salt = passwords.computed(new, salt)
    new_hash = passwords.hash_password(new)
    with viewer_transaction(viewer.account_id) as connection:
        outcome = connection.execute(
            text("SELECT change_own_password(:hash, :with_old_salt, :attempt, :address)"),
            {"hash": new_hash, "with_old_salt": with_old_salt, "attempt": proof, "address": address},
        ).scalar_one()
        if outcome == "same":
            raise InvalidInput("Choose a password that is not the old one.", field="new")
        if outcome != "done":
            raise InvalidInput(WRONG_CURRENT, field="current")
        announce(connection, viewer.account_id, Change.PASSWORD, address=address, browser=browser)


def prove(
    viewer: Viewer, password: str | None, *, address: str | None, device: str | None, field: str
) -> UUID:
    """The proof that the viewer has just typed their own password. Raises `InvalidInput` (`field`)."""
    checked = sessions.check_password(viewer.email, password or "", address=address, device=device)
    if checked is None or checked != viewer.account_id:
        raise InvalidInput(WRONG_CURRENT, field=field)
    return checked.attempt


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A browser that is signed in. Times are aware; `is_this` is the one that asks."""

    id: int
    created_at: datetime
    expires_at: datetime
    address: str | None
    browser: str | None
    is_this: bool


def find_own_sessions(connection: Connection, viewer: Viewer, *, token: str) -> tuple[OwnSession, ...]:
    """Where the viewer is signed in, newest first."""
    rows = connection.execute(
        select(account_session)
        .where(
            account_session.c.account_id == viewer.account_id,
            account_session.c.ended_at.is_(None),
            account_session.c.expires_at > func.now(),
            account_session.c.last_seen_at > func.now() - timedelta(minutes=settings().idle_minutes),
        )
        .order_by(account_session.c.created_at.desc())
    )
    own = sessions.digest(token)
    return tuple(
        OwnSession(
            row.id, row.created_at, row.expires_at, row.address, row.browser, bytes(row.token_digest) == own
        )
        for row in rows
    )


def end_own_session(viewer: Viewer, session_id: int, *, address: str | None) -> None:
    """Signs another browser of the viewer's out. One that has ended, or is not theirs, stays as it is."""
    with viewer_transaction(viewer.account_id) as connection:
        connection.execute(
            text("SELECT end_own_session(:id, :address)"), {"id": session_id, "address": address}
        )


def set_own_time_zone(viewer: Viewer, zone: str | None) -> None:
    """Sets the zone that days and times are shown in; None follows the browser. Raises `InvalidInput`."""
    if zone is not None and zone not in time_zones():
        raise InvalidInput("There is no time zone of that name.", field="time_zone")
    with viewer_transaction(viewer.account_id) as connection:
        connection.execute(text("SELECT set_own_time_zone(:zone)"), {"zone": zone})


def has_public_passwords() -> bool:
    """Whether demo accounts can sign in to a database of a server of its own: their password is known to everybody."""
    if settings().database_url is None:
        return False
    with anonymous_transaction() as connection:
        return bool(connection.execute(text("SELECT has_demo_accounts()")).scalar_one())


@cache
def time_zones() -> tuple[str, ...]:
    """The names of all time zones that a person may choose, sorted."""
    # The rest are compatibility names ("EST5EDT", "Etc/GMT+5") whose signs mislead.
    regions = {
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
    }
    regions |= {"Pacific"}
    return tuple(sorted(name for name in _known_zones() if name == "UTC" or name.split("/")[0] in regions))


def find_time_zone(name: str | None) -> ZoneInfo | None:
    """The zone of that name, or None: browsers may send names that this machine does not know."""
    if name is None or name not in _known_zones():
        return None
    return ZoneInfo(name)


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def main(arguments: list[str] | None = None) -> int:
    """The command's exit status."""
    parser = argparse.ArgumentParser(prog="python -m services.accounts")
    commands = parser.add_subparsers(required=True, metavar="command", dest="command")
    create = commands.add_parser("create-admin", help="makes an administrator and prints a one-time password")
    create.add_argument("--email", required=True)
    create.add_argument("--name", default="Administrator")
    unlock = commands.add_parser("unlock", help="ends the lock of five wrong passwords")
    unlock.add_argument("--email", required=True)
    given = parser.parse_args(arguments)
    try:
        migrate(owner_url())
        print(_create_administrator(given) if given.command == "create-admin" else _unlock(given.email))
    except (SupportError, SettingsError, EmbeddedDatabaseError, DataFolderError) as error:
        print(error, file=sys.stderr)
        return 1
    except OperationalError as error:
        print(f"The database does not answer: {error.orig}", file=sys.stderr)
        return 1
    finally:
        dispose_engines()
    return 0


def _create_administrator(given: argparse.Namespace) -> str:
    with jobs_transaction() as connection:
        password = create_account(connection, email=given.email, name=given.name, role=Role.ADMINISTRATOR)
    if not settings().passwords:
        return f"{given.email} signs in at {settings().base_url} through your provider."
    return f"One-time password for {given.email}, good for 72 hours: {password}"


def _unlock(email: str) -> str:
    """For an administrator whom strangers' guesses keep out and who has no other browser left."""
    with jobs_transaction() as connection:
        account_id = connection.execute(
            text(
                "UPDATE account SET failed_sign_ins = 0, locked_until = NULL WHERE email_key = login_key(:email) "
                "RETURNING id"
            ),
            {"email": email},
        ).scalar_one_or_none()
        if account_id is None:
            raise InvalidInput(f"There is no account with the e-mail {email}.", field="email")
        connection.execute(
            text("UPDATE known_device SET failed_sign_ins = 0, locked_until = NULL WHERE account_id = :id"),
            {"id": account_id},
        )
        details = {"account": account_id, "by": "command line"}
        connection.execute(insert(audit_log).values(action=AuditAction.UNLOCK_ACCOUNT, details=details))
    return f"{email} can sign in again."
