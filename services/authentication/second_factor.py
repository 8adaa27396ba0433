"""The second factor: six digits of an authenticator app (RFC 6238), or one of ten recovery codes, each valid once."""

import hashlib
import hmac
import io
import secrets
import time
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import pyotp
import segno
from sqlalchemy import Connection, select, text

from db.connections.engine import anonymous_transaction, jobs_transaction, viewer_transaction
from db.schema.account_tables import account, role_rule
from services.access import Role, Viewer
from services.authentication import sessions
from services.authentication.networks import network_of
from services.authentication.security_mails import Change, notify_owner
from services.errors import Conflict, InvalidInput
from services.settings import settings

ISSUER: Final = "ESupport portal"
RECOVERY_CODES: Final = 10
UNPROVEN: Final = "Please sign out and sign in again, then set up the second factor within ten minutes."
_STEP_SECONDS: Final = 30
_DRIFT: Final = 1  # steps that a clock may be off, before and after
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The data that an authenticator app needs: the secret in base32, and its QR code as SVG.

    It is worthless once the account's credentials are no longer those of `version`.
    """

    secret: str
    qr_svg: str
    version: int


def begin(viewer: Viewer) -> Enrolment:
    """A new secret, which counts once `confirm` has seen a code made with it."""
    secret = pyotp.random_base32()
    picture = io.BytesIO()
    address = pyotp.TOTP(secret).provisioning_uri(name=viewer.email, issuer_name=ISSUER)
    segno.make(address, error="m").save(
        picture, kind="svg", scale=4, border=3, dark="#000", light="#fff", xmldecl=False
    )
    with viewer_transaction(viewer.account_id) as connection:
        return Enrolment(secret, picture.getvalue().decode(), _version(connection, viewer))


def confirm(
    viewer: Viewer,
    enrolment: Enrolment,
    code: str,
    *,
    password: str | None,
    address: str | None,
    browser: str | None = None,
    device: str | None = None,
) -> tuple[str, ...]:
    """Switch the second factor on and return the recovery codes, which are shown only now; a mail tells the viewer.

    `password` is the viewer's own; after a single sign-on it is None, and the sign-in must be less than ten minutes
    old. Raises `InvalidInput` (fields `code`, `password`), and `Conflict` when the credentials have changed since.
    """
    step = _step_of(enrolment.secret, code)
    if step is None:
        raise InvalidInput("This is not the code that the app shows now.", field="code")
    proof = None
    if password is not None:
        proof = sessions.prove_password(viewer, password, address=address, device=device, field="password")
    codes = tuple("-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(2))
                  for _ in range(RECOVERY_CODES))  # fmt: skip
    _set(viewer, enrolment.secret, step, codes, enrolment.version, proof, address, browser)
    return codes


def remove(
    viewer: Viewer,
    password: str,
    *,
    address: str | None,
    browser: str | None = None,
    device: str | None = None,
) -> None:
    """Switch it off again; a mail tells the viewer. Where there are no passwords, `password` is a code of the app.

    Raises `InvalidInput` (field `password`), and `Conflict` where the role must have one.
    """
    with viewer_transaction(viewer.account_id) as connection:
        if is_required(connection, viewer):
            raise Conflict("Your role needs a second factor.")
        version = _version(connection, viewer)
        own = None
        if not settings().sign_in.passwords:
            own = connection.execute(
                text("SELECT begin_own_attempt(:network)"), {"network": network_of(address)}
            ).scalar_one()
    if own is None:
        own = sessions.prove_password(viewer, password, address=address, device=device, field="password")
    elif not check(own, password, address=address, browser=browser):
        raise InvalidInput(sessions.WRONG_CODE, field="password")
    _set(viewer, None, None, (), version, own, address, browser)


def needs_password(viewer: Viewer) -> bool:
    """Whether `confirm` needs the viewer's password: not after a single sign-on, nor where there are no passwords."""
    if not settings().sign_in.passwords:
        return False
    with viewer_transaction(viewer.account_id) as connection:
        by_provider = connection.execute(text("SELECT is_single_sign_on_session()")).scalar_one()
    return not by_provider


def is_asked_after(attempt: UUID) -> bool:
    """Whether a code is asked for after this attempt, before it opens a session."""
    with anonymous_transaction() as connection:
        return bool(
            connection.execute(text("SELECT asks_second_factor(:attempt)"), {"attempt": attempt}).scalar_one()
        )


def check(attempt: UUID, code: str, *, address: str | None, browser: str | None = None) -> bool:
    """Whether the code is right for the attempt: a code of the app that was not used before, or a recovery code, which
    this uses up.

    A wrong one counts as a failed sign-in, so that five lock the account. No code is right while the account is locked,
    nor after its credentials have changed since the attempt. The account's row is locked while a code is judged, so
    that codes sent at the same time wait for each other. The owner is told of a recovery code that was used and of a
    code that was used before.
    """
    typed = code.strip().casefold()[:100]
    # As the jobs' role: the app's role alone must not suffice to read secrets or to confirm a code.
    with jobs_transaction() as connection:
        attempted = connection.execute(
            text("SELECT account_id, secret FROM second_factor_of(:attempt)"), {"attempt": attempt}
        ).one_or_none()
        judged = connection.execute(
            text("SELECT outcome, codes_left FROM judge_code(:attempt, :step, :digest, :address)"),
            {
                "attempt": attempt,
                "step": _step_of(attempted.secret, typed) if attempted else None,
                "digest": _digest(typed),
                "address": address,
            },
        ).one()
        change = {"repeated": Change.CODE_REPEATED, "recovery": Change.RECOVERY_CODE}.get(judged.outcome)
        if change is not None and attempted is not None:
            notify_owner(
                connection,
                attempted.account_id,
                change,
                address=address,
                browser=browser,
                codes_left=judged.codes_left,
            )
    return judged.outcome in ("used", "recovery")


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


def _set(
    viewer: Viewer,
    secret: str | None,
    step: int | None,
    codes: tuple[str, ...],
    version: int,
    proof: UUID | None,
    address: str | None,
    browser: str | None,
) -> None:
    with viewer_transaction(viewer.account_id) as connection:
        outcome = connection.execute(
            text("SELECT set_own_second_factor(:secret, :step, :digests, :version, :proof, :address)"),
            {
                "secret": secret,
                "step": step,
                "digests": [_digest(code) for code in codes],
                "version": version,
                "proof": proof,
                "address": address,
            },
        ).scalar_one()
        if outcome == "changed":
            raise Conflict("Your password or second factor was changed in the meantime. Please begin again.")
        if outcome != "done":
            raise InvalidInput(UNPROVEN, field="password")
        change = Change.FACTOR_OFF if secret is None else Change.FACTOR_ON
        notify_owner(connection, viewer.account_id, change, address=address, browser=browser)


def _version(connection: Connection, viewer: Viewer) -> int:
    return int(
        connection.execute(
            select(account.c.credentials_version).where(account.c.id == viewer.account_id)
        ).scalar_one()
    )


def _step_of(secret: str, code: str) -> int | None:
    """The time step that this code belongs to, the present one or a neighbour; None for any other code."""
    digits = "".join(code.split())
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        return None
    now = int(time.time()) // _STEP_SECONDS
    maker = pyotp.TOTP(secret)
    matching = None
    for step in range(now - _DRIFT, now + _DRIFT + 1):
        if hmac.compare_digest(maker.generate_otp(step), digits):
            matching = step
    return matching


def _digest(code: str) -> bytes:
    # Fifty random bits; nobody can try them without the database, and five wrong ones lock the account.
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
