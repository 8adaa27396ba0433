"""Refusals that the database decides, and the codes by which it reports errors. services/errors.py has the rest."""

import traceback
from enum import StrEnum
from pathlib import Path


class SqlState(StrEnum):
    """The SQLSTATE codes that the portal tells apart."""

    INSUFFICIENT_PRIVILEGE = "42501"
    LOCK_NOT_AVAILABLE = "55P03"  # a lock was not released within `lock_timeout`
    DEADLOCK_DETECTED = "40P01"
    QUERY_CANCELED = "57014"  # a statement took longer than `statement_timeout`
    LAST_ADMINISTRATOR = "ES001"  # raised by the trigger of db/migrations/sql/0003_administering.sql
    REFUND_RULES = "ES002"  # four eyes, a second approval: the triggers of db/migrations/sql/0023_refunds.sql


def sqlstate(error: BaseException) -> str | None:
    """The SQLSTATE of a driver's error, or of a SQLAlchemy error that wraps one; None for every other error."""
    code: str | None = getattr(getattr(error, "orig", error), "sqlstate", None)
    return code


def without_values(error: BaseException) -> str:
    """The error's kind, its code and where it happened, for a log: its text may repeat a customer's values."""
    cause = getattr(error, "orig", None) or error
    code = sqlstate(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = ", ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-6:])
    return f"{type(cause).__name__}{f' {code}' if code else ''} at {where}"


class SupportError(Exception):
    """A request could not be carried out; the text is a sentence with the reason."""

    message = "This could not be done."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).message)

    def __str__(self) -> str:
        return str(self.args[0])


class NotAllowed(SupportError):
    """The thing is in the viewer's scope, but this account may not do that with it."""

    message = "Your account may not do this."


class AccountUnusable(NotAllowed):
    """The account was disabled or its session has ended, perhaps in the middle of an action."""

    message = "This account can no longer be used, or you are signed out. Nothing was changed."
