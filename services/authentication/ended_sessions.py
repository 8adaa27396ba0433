"""Why a session has ended."""

from dataclasses import dataclass

from sqlalchemy import text

from db.connections.engine import anonymous_transaction
from db.schema.roles_of_accounts import SessionEnd
from db.settings import database_settings


@dataclass(frozen=True, slots=True)
class EndedSession:
    """The account of a session that has ended, and the reason, in a sentence."""

    account_id: int
    sentence: str


_SENTENCES: dict[str, str] = {
    SessionEnd.SIGNED_OUT: "You signed out in another tab or browser window.",
    SessionEnd.PASSWORD_CHANGED: "Your session has ended because the password of your account was changed.",
    SessionEnd.RESET: "Your session has ended because an administrator reset the password of your account.",
    SessionEnd.ROLE_CHANGED: "Your session has ended because an administrator changed the role of your account.",
    SessionEnd.DISABLED: "Your session has ended because your account was disabled.",
    SessionEnd.ENDED: "Your session has ended: it was signed out from another browser, or by an administrator.",
    SessionEnd.IDLE: "Your session has ended because it was not used for a while.",
    SessionEnd.EXPIRED: "Your session has ended because its time was over.",
}


def find_ended_session(token: str) -> EndedSession | None:
    """The session of this token if it has ended; None if it is valid or never existed."""
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
