"""Why a session does not stand any more."""

from dataclasses import dataclass

from sqlalchemy import text

from db.connections.engine import anonymous_transaction
from db.settings import database_settings


@dataclass(frozen=True, slots=True)
class EndedSession:
    """Whose session it was, and why it ended, in a sentence."""

    account_id: int
    sentence: str


_SENTENCES = {
    "signed out": "You signed out in another tab or browser window.",
    "password changed": "Your session has ended because the password of your account was changed.",
    "reset": "Your session has ended because an administrator reset the password of your account.",
    "role changed": "Your session has ended because an administrator changed the role of your account.",
    "disabled": "Your session has ended because your account was disabled.",
    "ended": "Your session has ended: it was signed out from another browser, or by an administrator.",
    "idle": "Your session has ended because it was not used for a while.",
    "expired": "Your session has ended because its time was over.",
}


def find_ended_session(token: str) -> EndedSession | None:
    """The session of this token when it has ended; None when it stands, or never was."""
    if not token.isascii() or "\0" in token:
        return None
    with anonymous_transaction() as connection:
        row = connection.execute(
            text(
                "SELECT account_id, reason FROM ended_account_session(:token, make_interval(mins => :idle))"
            ),
            {"token": token, "idle": database_settings().idle_minutes},
        ).one_or_none()
    if row is None:
        return None
    return EndedSession(row.account_id, _SENTENCES.get(row.reason, "Your session has ended."))
