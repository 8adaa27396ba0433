"""The roles of accounts and the reasons why sessions end, as the database stores them."""

from enum import StrEnum


class Role(StrEnum):
    """`account.role` and `role_rule.role`."""

    SPECIALIST = "specialist"
    ANALYST = "analyst"
    REFUND_OPERATOR = "refund_operator"
    ADMINISTRATOR = "administrator"


class SessionEnd(StrEnum):
    """`account_session.ended_because`, and the reasons that `ended_account_session()` derives from the time alone."""

    SIGNED_OUT = "signed out"
    PASSWORD_CHANGED = "password changed"  # noqa: S105 - a reason, no password
    RESET = "reset"
    ROLE_CHANGED = "role changed"
    DISABLED = "disabled"
    ENDED = "ended"
    IDLE = "idle"
    EXPIRED = "expired"


# Computed from the time of the last use and of the sign-in, never stored.
COMPUTED_SESSION_ENDS = frozenset({SessionEnd.IDLE, SessionEnd.EXPIRED})
