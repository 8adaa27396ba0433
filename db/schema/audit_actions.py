"""The actions that the audit log records."""

from enum import StrEnum


class AuditAction(StrEnum):
    """Every word that `audit_log.action` and `action_key.action` hold, from the services and from the SQL functions.

    The constraints of both tables (db/migrations/versions/0023_day.py) allow these words and no others, so a
    new one needs a migration. The words are what administrators filter by and what exports of the log contain: a
    member may be renamed, its word may not.
    """

    # Signing in, and an account's own credentials. Mostly written by SQL functions.
    SIGN_IN = "sign in"
    SIGN_OUT = "sign out"
    END_SESSION = "end session"
    CHANGE_PASSWORD = "change password"  # noqa: S105 - the action's name
    FORGOT_PASSWORD = "forgot password"  # noqa: S105 - the action's name
    SECOND_FACTOR_ON = "second factor on"
    SECOND_FACTOR_OFF = "second factor off"
    USE_RECOVERY_CODE = "use recovery code"
    REPEAT_CODE = "repeat code"
    LINK_SINGLE_SIGN_ON = "bind single sign-on"
    # Orders.
    ADD_NOTE = "add note"
    CANCEL_SUBSCRIPTION = "cancel subscription"
    RESUME_SUBSCRIPTION = "resume subscription"
    CORRECT_EMAIL = "correct e-mail"
    RESEND_LICENCE = "resend licence"
    REISSUE_LICENCE = "reissue licence"
    CANCEL_ORDER = "cancel order"
    DOWNLOAD_DOCUMENT = "document download"
    EXPORT_ORDERS = "export"
    EXPORT_PERSON = "export personal data"
    # Many orders at once; what is done with each of them has an action of its own.
    START_BULK_RUN = "start bulk run"
    STOP_BULK_RUN = "stop bulk run"
    # What a shop or a payment provider answered to an action, under the account that acted.
    ANSWER_ACTION = "action answered"
    # Refunds.
    REQUEST_REFUND = "request refund"
    TAKE_REFUND = "take refund"
    RELEASE_REFUND = "release refund"
    FULFIL_REFUND = "fulfil refund"
    REFUSE_REFUND = "refuse refund"
    FAIL_REFUND = "fail refund"
    APPROVE_REFUND = "approve refund"
    SEND_BACK_REFUND = "send back refund"
    WITHDRAW_REFUND = "withdraw refund"
    CREATE_REFUND_REASON = "create refund reason"
    CHANGE_REFUND_REASON = "change refund reason"
    # Administration.
    CREATE_ACCOUNT = "create account"
    CHANGE_ACCOUNT = "change account"
    IMPORT_ACCOUNTS = "import accounts"
    DISABLE_ACCOUNT = "disable account"
    ENABLE_ACCOUNT = "enable account"
    UNLOCK_ACCOUNT = "unlock account"
    END_SESSIONS = "end sessions"
    RESET_PASSWORD = "reset password"  # noqa: S105 - the action's name
    REQUIRE_SECOND_FACTOR = "require second factor"
    RESET_SECOND_FACTOR = "reset second factor"
    UNLINK_SINGLE_SIGN_ON = "unlink single sign-on"
    CREATE_TEAM = "create team"
    CHANGE_TEAM = "change team"
    DELETE_TEAM = "delete team"
    CHANGE_STORE = "change checkout page"
    EXPORT_AUDIT_LOG = "export audit log"
    ERASE_PERSONAL_DATA = "erase personal data"
    OPEN_MAIL = "open mail"
    SEND_MAIL_AGAIN = "send mail again"
    CHANGE_MAIL_TEXT = "change mail text"
    RESET_MAIL_TEXT = "reset mail text"
    # Connections.
    CREATE_CONNECTION = "create connection"
    CHANGE_CONNECTION = "change connection"
    CHANGE_CONNECTION_SECRET = "change connection secret"  # noqa: S105 - the action's name
    SWITCH_CONNECTION_ON = "switch connection on"
    SWITCH_CONNECTION_OFF = "switch connection off"
    DELETE_CONNECTION = "delete connection"
    TEST_CONNECTION = "test connection"
    OPEN_MESSAGE = "open message"
    REPLAY_MESSAGES = "replay messages"
    STOP_WAITING = "stop waiting"
    # Views.
    SAVE_VIEW = "save view"
    CHANGE_VIEW = "change view"
    DELETE_VIEW = "delete view"
    # Other programs, by a connection of their own.
    HELP_DESK_LOOK_UP = "help desk look-up"
    # What goes out to other programs.
    REPLAY_DELIVERIES = "replay deliveries"
