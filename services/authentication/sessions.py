"""Signing in, staying signed in, and signing out.

A signed-in browser holds a random token in a cookie; the database stores only the token's SHA-256 and decides on every
use whether the session is still valid. There is no other way for an account to become a viewer.
"""

import secrets
import time
from dataclasses import replace
from datetime import timedelta
from typing import Final, Self
from uuid import UUID

from sqlalchemy import text

from db.connections.engine import anonymous_transaction
from db.connections.viewers import SignedIn
from db.connections.viewers import digest as digest
from db.connections.viewers import is_token as is_token
from db.settings import database_settings
from services.access import Viewer, get_viewer
from services.authentication import passwords
from services.authentication.networks import network_of
from services.errors import Conflict, InvalidInput, NotAllowed
from services.settings import settings
from services.text.keys import strip_edges

# How long a browser that has signed in is remembered. This grants no access; it only keeps strangers' guesses from
# locking the owner out.
DEVICE_LIFE: Final = timedelta(days=90)
SESSION_LIFE = timedelta(hours=12)
# One sentence for an unknown login, a wrong password, a locked and a disabled account.
REFUSED = "Email or password is not right, or the account is locked for now."
WRONG_CODE = "This code is not right, was used before, or the account is locked for now."

_SESSION = text(
    "SELECT id, single_sign_on, provider_factor FROM account_of_session(:token, make_interval(mins => :idle))"
)
WRONG_CURRENT: Final = "This is not your current password, or the account is locked for now."
_LONGEST_LOGIN = 320
# While as many attempts are under way as the account has left, the next one waits for them.
_LONGEST_WAIT_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.05


class TooManyAttempts(Conflict):
    message = "Too many failed attempts from your network. Wait a minute, then try again."


class CheckedAccount(int):
    """The ID of an account whose password was right, or for which a provider vouched, with the attempt that proves this
    to the database. It is valid for one session, for ten minutes, and until the account's credentials change.
    """

    attempt: UUID

    def __new__(cls, account_id: int, attempt: UUID) -> Self:
        made = super().__new__(cls, account_id)
        made.attempt = attempt
        return made


def check_password(
    login: str, password: str, *, address: str | None, device: str | None = None
) -> CheckedAccount | None:
    """The account with this login and password; None alike for an unknown login, a wrong password, a locked account, a
    disabled one.

    The attempt is counted before it is judged. The database judges it, by the bcrypt hash of the password with the
    account's salt; no connection is held while bcrypt works. A refusal costs one bcrypt and two short transactions
    whatever the reason, and is audited. Where passwords are switched off, the answer is always None. `address` is where
    the attempt came from, `device` the token of a browser that has signed in before.

    Raises `TooManyAttempts` for a network that has failed too often, and `PasswordsBusy`.
    """
    if not settings().sign_in.passwords:
        return None
    asked = {
        "login": usable_login(login),
        "network": network_of(address),
        "device": digest(device) if device else None,
    }
    deadline = time.monotonic() + _LONGEST_WAIT_SECONDS
    while True:
        with passwords.hashing_turn():
            with anonymous_transaction() as connection:
                attempt, answer, salt = connection.execute(
                    text("SELECT attempt, answer, salt FROM begin_attempt(:login, :network, :device)"), asked
                ).one()
            if answer == "slow":
                raise TooManyAttempts
            if answer == "go":
                computed = passwords.computed(password, salt)
                break
        if time.monotonic() > deadline:
            raise passwords.PasswordsBusy
        time.sleep(_PAUSE_SECONDS)
    with anonymous_transaction() as connection:
        account_id = connection.execute(
            text("SELECT finish_attempt(:attempt, :computed, :address)"),
            {"attempt": attempt, "computed": computed, "address": address},
        ).scalar_one()
    return None if account_id is None else CheckedAccount(account_id, attempt)


def prove_password(
    viewer: Viewer, password: str | None, *, address: str | None, device: str | None, field: str
) -> UUID:
    """Check the viewer's own password and return the proof of it. Raises `InvalidInput` (`field`)."""
    checked = check_password(viewer.email, password or "", address=address, device=device)
    if checked is None or checked != viewer.account_id:
        raise InvalidInput(WRONG_CURRENT, field=field)
    return checked.attempt


def open_session(
    checked: CheckedAccount, *, address: str | None, browser: str | None = None, device: str | None = None
) -> str | None:
    """A new session's token (256 random bits), or None when the account was locked, disabled or changed since, or needs
    a second factor that was not given.

    `device` is the token of the browser, which is remembered from then on.
    """
    token = secrets.token_urlsafe(32)
    with anonymous_transaction() as connection:
        opened = connection.execute(
            text("SELECT open_account_session(:attempt, :digest, :life, :address, :browser, :device)"),
            {
                "attempt": checked.attempt,
                "digest": digest(token),
                "life": SESSION_LIFE,
                "address": address,
                "browser": _printable(browser),
                "device": digest(device) if device else None,
            },
        ).scalar_one()
    return token if opened else None


def new_device() -> str:
    """The token by which a browser is recognised after its first sign-in."""
    return secrets.token_urlsafe(32)


def viewer_of_token(token: str) -> Viewer | None:
    """The viewer whose session this token opens, with role and stores as they are now; None when the session has ended.

    Each call counts as use; unused sessions end after a while.
    """
    if not is_token(token):
        return None
    with anonymous_transaction() as connection:
        session = connection.execute(
            _SESSION, {"token": token, "idle": database_settings().idle_minutes}
        ).one_or_none()
        if session is None:
            return None
        try:
            viewer = get_viewer(connection, SignedIn(session.id, token))
        except NotAllowed:  # disabled between the two
            return None
    return replace(
        viewer,
        must_change_password=viewer.must_change_password and not session.single_sign_on,
        needs_second_factor=viewer.needs_second_factor and not session.provider_factor,
    )


def end_session(token: str, *, address: str | None) -> None:
    """End the session on the server, so that every copy of its cookie is worthless."""
    if not is_token(token):
        return
    with anonymous_transaction() as connection:
        connection.execute(
            text("SELECT end_account_session(:token, :address)"), {"token": token, "address": address}
        )


def _printable(text_: str | None) -> str | None:
    return "".join(c for c in text_[:400] if c.isprintable()) if text_ else None


def usable_login(login: str, longest: int = _LONGEST_LOGIN) -> str:
    """The login in a form that the database accepts; one that cannot exist becomes the empty login, nobody's."""
    stripped = strip_edges(login)
    if "\0" in login or len(stripped) > longest or any("\ud800" <= c <= "\udfff" for c in stripped):
        return ""
    return stripped
