"""Forgotten passwords: a mailed link works once, within an hour. Nobody can learn from it who has an account."""

import secrets

from sqlalchemy import text

from db.connections.engine import anonymous_transaction
from services.authentication import passwords, sessions
from services.authentication.networks import network_of
from services.authentication.security_mails import Change, notify_owner
from services.errors import Conflict
from services.mail.outbox import SUBJECTS, new_message_id, texts_of
from services.settings import settings

SENT = "If there is an account with this e-mail, a link to set a new password is on its way to it."


class LinkUnusable(Conflict):
    message = "This link was used already or is older than an hour. Ask for a new one."


def request_link(login: str, *, address: str | None) -> None:
    """Queue the mail if there is such an account; take the same steps and give the same answer if there is none.

    Raises `TooManyAttempts` for a network that has asked ten times within an hour.
    """
    if not settings().sign_in.passwords:
        return
    token = secrets.token_urlsafe(32)
    parts = texts_of("password", {"link": f"{settings().web.base_url}/?reset={token}"})
    with anonymous_transaction() as connection:
        is_looked_at = connection.execute(
            text(
                "SELECT request_password_reset(:login, :digest, :id, :subject, :plain, :html, :address, :network)"
            ),
            {
                "login": sessions.usable_login(login),
                "digest": sessions.digest(token),
                "id": new_message_id(),
                "subject": SUBJECTS["password"],
                "plain": parts["text_body"],
                "html": parts["html_body"],
                "address": address,
                "network": network_of(address),
            },
        ).scalar_one()
    if not is_looked_at:
        raise sessions.TooManyAttempts


def is_usable(token: str) -> bool:
    return _email_of(token) is not None


def set_password(
    token: str, *, new: str, repeated: str, address: str | None, browser: str | None = None
) -> None:
    """Set the password, end all sessions, and tell the owner by mail.

    Raises `LinkUnusable`, and `InvalidInput` (`new`, `repeated`).
    """
    email = _email_of(token)
    if email is None:
        raise LinkUnusable
    passwords.check_new_password(new, repeated, email=email)
    password_hash = passwords.hash_password(new)
    with anonymous_transaction() as connection:
        account_id = connection.execute(
            text("SELECT reset_password(:digest, :hash, :address)"),
            {"digest": sessions.digest(token), "hash": password_hash, "address": address},
        ).scalar_one()
        if account_id is None:
            raise LinkUnusable
        notify_owner(connection, account_id, Change.PASSWORD_BY_LINK, address=address, browser=browser)


def _email_of(token: str) -> str | None:
    if not settings().sign_in.passwords:
        return None
    with anonymous_transaction() as connection:
        email: str | None = connection.execute(
            text("SELECT password_reset_email(:digest)"), {"digest": sessions.digest(token)}
        ).scalar_one()
        return email
