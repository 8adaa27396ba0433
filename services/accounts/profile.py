"""Changes that people make to their own account."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, text

from db.connections.engine import (
    anonymous_transaction,
    viewer_transaction,
)
from db.schema.account_tables import account_session
from db.settings import database_settings
from services.access import Viewer
from services.authentication import passwords, sessions
from services.authentication.security_mails import Change, notify_owner
from services.errors import InvalidInput
from services.time_zones import time_zones


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
    """Set the viewer's password and end all their sessions but this one; a mail tells the viewer.

    `current` is required unless the viewer has just signed in with a one-time password, which must be changed. A wrong
    one counts as a failed sign-in, so that nobody can guess passwords at an unattended screen. Raises `InvalidInput`
    with `field` one of `current`, `new`, `repeated`.
    """
    passwords.check_new_password(new, repeated, email=viewer.email)
    proof = None
    if not viewer.must_change_password:
        proof = sessions.prove_password(viewer, current, address=address, device=device, field="current")
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
            raise InvalidInput(sessions.WRONG_CURRENT, field="current")
        notify_owner(connection, viewer.account_id, Change.PASSWORD, address=address, browser=browser)


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A signed-in browser. Times are aware; `is_current` marks the browser of this request."""

    id: int
    created_at: datetime
    expires_at: datetime
    address: str | None
    browser: str | None
    is_current: bool


def find_own_sessions(connection: Connection, viewer: Viewer, *, token: str) -> tuple[OwnSession, ...]:
    """The viewer's open sessions, newest first."""
    rows = connection.execute(
        select(account_session)
        .where(
            account_session.c.account_id == viewer.account_id,
            account_session.c.ended_at.is_(None),
            account_session.c.expires_at > func.now(),
            account_session.c.last_seen_at > func.now() - timedelta(minutes=database_settings().idle_minutes),
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
    """Sign out another browser of the viewer. A session that has ended, or is not the viewer's, is not changed."""
    with viewer_transaction(viewer.account_id) as connection:
        connection.execute(
            text("SELECT end_own_session(:id, :address)"), {"id": session_id, "address": address}
        )


def set_own_time_zone(viewer: Viewer, zone: str | None) -> None:
    """Set the zone that days and times are shown in; None follows the browser. Raises `InvalidInput`."""
    if zone is not None and zone not in time_zones():
        raise InvalidInput("There is no time zone of that name.", field="time_zone")
    with viewer_transaction(viewer.account_id) as connection:
        connection.execute(text("SELECT set_own_time_zone(:zone)"), {"zone": zone})


def has_public_passwords() -> bool:
    """Whether demo accounts, whose password is public, can sign in to the database of a production server."""
    if database_settings().database_url is None:
        return False
    with anonymous_transaction() as connection:
        return bool(connection.execute(text("SELECT has_demo_accounts()")).scalar_one())
