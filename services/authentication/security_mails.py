"""Mails that tell the owner of an account about a changed password or second factor, in case somebody else did it.

None of them contains a secret. They are queued in the transaction that makes the change.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from ipaddress import ip_address
from typing import Final

from sqlalchemy import Connection, text

from services.authentication.user_agents import describe_user_agent
from services.mail.outbox import SUBJECTS, new_message_id, queue_mail, texts_of
from services.settings import settings
from services.time_zones import find_time_zone, format_time

KIND: Final = "credentials"


class Change(StrEnum):
    """The change that the owner is told of; its value ends the mail's subject."""

    PASSWORD = "password changed"  # noqa: S105
    PASSWORD_BY_LINK = "password set through a mailed link"  # noqa: S105
    FACTOR_ON = "second factor set up"
    FACTOR_OFF = "second factor switched off"
    FACTOR_RESET = "second factor removed by an administrator"
    RECOVERY_CODE = "recovery code used"
    CODE_REPEATED = "code used a second time"


_SENTENCES: Final = {
    Change.PASSWORD: "The password of your account at the ESupport portal was changed.",
    Change.PASSWORD_BY_LINK: "The password of your account at the ESupport portal was set through the link of "
    "“Forgot password?”. All browsers were signed out.",
    Change.FACTOR_ON: "A second factor was set up for your account at the ESupport portal, with new recovery codes.",
    Change.FACTOR_OFF: "The second factor of your account at the ESupport portal was switched off. Its recovery codes "
    "are no longer valid.",
    Change.FACTOR_RESET: "An administrator removed the second factor of your account at the ESupport portal. Set up a "
    "new one on the Profile page.",
    Change.RECOVERY_CODE: "A recovery code was used to prove who you are at the ESupport portal, and is used up.",
    Change.CODE_REPEATED: "A code of your authenticator app was sent to the ESupport portal that had been used before, "
    "or was older than one that had. It was refused.",
}


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner of an account; `time_zone` is the account's own choice, if any."""

    email: str
    name: str
    time_zone: str | None


def notify_owner(
    connection: Connection,
    account_id: int,
    change: Change,
    *,
    address: str | None,
    browser: str | None,
    codes_left: int | None = None,
) -> None:
    """Mail the owner what was changed in this transaction, from which address and with which browser (a User-Agent).

    The database refuses if nothing was changed, and knows the address to send to.
    """
    owner = connection.execute(
        text("SELECT email, name, time_zone FROM credentials_owner(:account)"), {"account": account_id}
    ).one()
    parts = texts_of(
        KIND,
        _mail_fields(Owner(owner.email, owner.name, owner.time_zone), change, address, browser, codes_left),
    )
    connection.execute(
        text("SELECT announce_credentials(:account, :id, :subject, :plain, :html)"),
        {
            "account": account_id,
            "id": new_message_id(),
            "subject": SUBJECTS[KIND].format(change=change),
            "plain": parts["text_body"],
            "html": parts["html_body"],
        },
    )


def notify_owner_of_reset(connection: Connection, account_id: int, owner: Owner) -> None:
    """Mail the owner that an administrator, whose transaction this is, has removed the second factor.

    It does not name an address: that would be the administrator's.
    """
    queue_mail(
        connection,
        kind=KIND,
        to_address=owner.email,
        to_name=owner.name,
        template_values={"change": Change.FACTOR_RESET}
        | _mail_fields(owner, Change.FACTOR_RESET, None, None, None),
        account_id=account_id,
    )


def _mail_fields(
    owner: Owner, change: Change, address: str | None, browser: str | None, codes_left: int | None
) -> dict[str, str | None]:
    return {
        "name": owner.name,
        "login": owner.email,
        "sentence": _SENTENCES[change] + _codes_left_sentence(codes_left),
        "when": _time(owner.time_zone),
        "from_address": _printable_address(address),
        "browser": describe_user_agent(browser) if browser else None,
        "advice": _advice(change),
        "portal": settings().web.base_url,
    }


def _codes_left_sentence(codes: int | None) -> str:
    if codes is None:
        return ""
    if codes == 0:
        return " None is left: switch the second factor off and on again on the Profile page to get new ones."
    return f" {codes} {'is' if codes == 1 else 'are'} left."


def _time(zone_name: str | None) -> str:
    """`12 Nov 2026, 14:05 (Europe/Berlin)`: now, in the account's time zone, or in UTC without one."""
    zone = find_time_zone(zone_name)
    return f"{format_time(datetime.now(UTC), zone or UTC)} ({zone.key if zone else 'UTC'})"


def _printable_address(header: str | None) -> str | None:
    # A proxy's header may say anything; only an address is passed on.
    try:
        return str(ip_address(header)) if header else None
    except ValueError:
        return None


def _advice(change: Change) -> str:
    """Advice for an owner who did not make the change."""
    if not settings().sign_in.passwords:
        return "tell an administrator at once."
    if change in (Change.PASSWORD, Change.PASSWORD_BY_LINK):
        return "set a new password with “Forgot password?” on the sign-in page at once, and tell an administrator."
    if change is Change.FACTOR_RESET:
        return "ask an administrator why, change your password, and set the second factor up again."
    if change is Change.CODE_REPEATED:
        return (
            "somebody else has your password and saw the code. Change the password at once, and tell an "
            "administrator."
        )
    if change is Change.RECOVERY_CODE:
        return (
            "somebody else has your recovery codes, and perhaps your password. Change the password, switch the second "
            "factor off and on again, and tell an administrator."
        )
    return "somebody else is in your account. Tell an administrator at once, and change your password."
