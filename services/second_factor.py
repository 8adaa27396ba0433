"""The second factor: six digits of an authenticator app (RFC 6238), or one of ten recovery codes, each good once."""

import hashlib
import hmac
import io
import secrets
import time
from dataclasses import dataclass
from typing import Final

import pyotp
import segno
from sqlalchemy import Connection, select, text, update

from db.engine import anonymous_transaction, viewer_transaction
from db.settings import settings
from db.tables import account, role_rule
from services import sign_in
from services.access import Role, Viewer
from services.account_admin import AccountNotFound, check_administrator
from services.actions import Done
from services.credential_mails import Change, Owner, announce, announce_reset
from services.errors import Conflict, InvalidInput

ISSUER: Final = "ESupport portal"
RECOVERY_CODES: Final = 10
_STEP_SECONDS: Final = 30
_DRIFT: Final = 1  # steps that a clock may be off, before and after
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an app needs to know: the secret in base32, and the picture of it as SVG."""

    secret: str
    qr_svg: str


def begin(viewer: Viewer) -> Enrolment:
    """A new secret, which counts once `confirm` has seen a code made with it."""
    secret = pyotp.random_base32()
    picture = io.BytesIO()
    address = pyotp.TOTP(secret).provisioning_uri(name=viewer.email, issuer_name=ISSUER)
    segno.make(address, error="m").save(
        picture, kind="svg", scale=4, border=3, dark="#000", light="#fff", xmldecl=False
    )
    return Enrolment(secret, picture.getvalue().decode())


def confirm(
    viewer: Viewer, secret: str, code: str, *, address: str | None, browser: str | None = None
) -> tuple[str, ...]:
    """Switches the second factor on and returns the recovery codes, which are shown this once; a mail tells the viewer.

    Raises `InvalidInput` (field `code`) for a code that the secret does not make now.
    """
    step = _step_of(secret, code)
    if step is None:
        raise InvalidInput("This is not the code that the app shows now.", field="code")
    codes = tuple("-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(2))
                  for _ in range(RECOVERY_CODES))  # fmt: skip
    _set(viewer, secret, step, codes, address, browser)
    return codes


def remove(viewer: Viewer, password: str, *, address: str | None, browser: str | None = None) -> None:
    """Switches it off again, which a mail says. Where there are no passwords, `password` is a code of the app.

    Raises `InvalidInput` (field `password`), and `Conflict` where the role must have one.
    """
    with viewer_transaction(viewer.account_id) as connection:
        if is_required(connection, viewer):
            raise Conflict("Your role needs a second factor.")
    if not settings().passwords:
        if not check(viewer.account_id, viewer.email, password, address=address, browser=browser):
            raise InvalidInput(sign_in.WRONG_CODE, field="password")
    elif sign_in.check_password(viewer.email, password, address=address) != viewer.account_id:
        raise InvalidInput(
            "This is not your current password, or the account is locked for now.", field="password"
        )
    _set(viewer, None, None, (), address, browser)


def is_on(account_id: int) -> bool:
    return _secret_of(account_id) is not None


def check(account_id: int, login: str, code: str, *, address: str | None, browser: str | None = None) -> bool:
    """Whether the code opens the account: of the app, not used before, or a recovery code, which is used up.

    A wrong one counts as a failed sign-in of `login`, so that five lock the account; none fits while it is locked. The
    owner is told of a recovery code that was used and of a code that was used before.
    """
    secret, typed = _secret_of(account_id), code.strip().casefold()[:100]
    step = _step_of(secret, typed) if secret else None
    with anonymous_transaction() as connection:
        if step is not None:
            outcome = connection.execute(
                text("SELECT use_second_factor_step(:account, :step, :address)"),
                {"account": account_id, "step": step, "address": address},
            ).scalar_one()
            fits: bool = outcome == "used"
            if outcome == "repeated":
                announce(connection, account_id, Change.CODE_REPEATED, address=address, browser=browser)
        else:
            left = connection.execute(
                text("SELECT use_recovery_code(:account, :digest, :address)"),
                {"account": account_id, "digest": _digest(typed), "address": address},
            ).scalar_one()
            fits = left is not None
            if fits:
                announce(
                    connection,
                    account_id,
                    Change.RECOVERY_CODE,
                    address=address,
                    browser=browser,
                    codes_left=left,
                )
        if not fits:
            connection.execute(
                text("SELECT record_failed_sign_in(:login, :address)"), {"login": login, "address": address}
            )
    return fits


def has_own(connection: Connection, viewer: Viewer) -> bool:
    return bool(
        connection.execute(
            select(account.c.has_second_factor).where(account.c.id == viewer.account_id)
        ).scalar_one_or_none()
    )


def is_required(connection: Connection, viewer: Viewer) -> bool:
    """Whether the viewer's role must have one."""
    return viewer.role in required_roles(connection)


def required_roles(connection: Connection) -> frozenset[Role]:
    rows = connection.execute(select(role_rule.c.role).where(role_rule.c.second_factor_required))
    return frozenset(Role(role) for role in rows.scalars())


def require_for(connection: Connection, viewer: Viewer, *, roles: frozenset[Role]) -> Done:
    """Sets the roles that must have a second factor; who has none yet sets one up at their next click.

    Raises `NotAllowed`.
    """
    check_administrator(viewer)
    for role in Role:
        connection.execute(
            update(role_rule).where(role_rule.c.role == role).values(second_factor_required=role in roles)
        )
    names = ", ".join(sorted(roles)) or "nobody"
    return Done(f"A second factor is required of: {names.replace('_', ' ')}.", {"roles": sorted(roles)})


def reset_second_factor(connection: Connection, viewer: Viewer, account_id: int) -> Done:
    """For somebody who lost their device and their recovery codes; a mail tells them.

    Raises `NotAllowed`, `AccountNotFound`, `Conflict`.
    """
    check_administrator(viewer)
    known = connection.execute(
        select(account.c.email, account.c.name, account.c.time_zone, account.c.has_second_factor).where(
            account.c.id == account_id
        )
    ).one_or_none()
    if known is None:
        raise AccountNotFound
    if not known.has_second_factor:
        raise Conflict("This account has no second factor.")
    connection.execute(
        update(account).where(account.c.id == account_id).values(totp_secret=None, totp_last_step=None)
    )
    announce_reset(connection, account_id, Owner(known.email, known.name, known.time_zone))
    return Done(f"The second factor of {known.name} was removed.", {"account": account_id})


def _set(
    viewer: Viewer,
    secret: str | None,
    step: int | None,
    codes: tuple[str, ...],
    address: str | None,
    browser: str | None,
) -> None:
    with viewer_transaction(viewer.account_id) as connection:
        connection.execute(
            text("SELECT set_own_second_factor(:secret, :step, :digests, :address)"),
            {
                "secret": secret,
                "step": step,
                "digests": [_digest(code) for code in codes],
                "address": address,
            },
        )
        change = Change.FACTOR_OFF if secret is None else Change.FACTOR_ON
        announce(connection, viewer.account_id, change, address=address, browser=browser)


def _step_of(secret: str, code: str) -> int | None:
    """The step of time whose code this is, now or one step off; None for any other."""
    digits = "".join(code.split())
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        return None
    now = int(time.time()) // _STEP_SECONDS
    maker = pyotp.TOTP(secret)
    found = None
    for step in range(now - _DRIFT, now + _DRIFT + 1):
        if hmac.compare_digest(maker.generate_otp(step), digits):
            found = step
    return found


def _secret_of(account_id: int) -> str | None:
    with anonymous_transaction() as connection:
        found: str | None = connection.execute(
            text("SELECT second_factor_secret(:account)"), {"account": account_id}
        ).scalar_one()
        return found


def _digest(code: str) -> bytes:
    # Fifty random bits; nobody can try them without the database, and five wrong ones lock the account.
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
