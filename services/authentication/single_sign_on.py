"""Single sign-on: decide whether a sign-in at an OpenID Connect provider opens an account here.

The provider says who the person is; whether they have an account, its role and its stores are decided here. The web
server has checked the answer's signature, audience and nonce before it comes here.
"""

import hashlib
import json
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import func, select, text

from db.connections.engine import anonymous_transaction, jobs_transaction
from db.schema.account_tables import account
from services.authentication import sessions
from services.authentication.address_identity import identity_key
from services.authentication.networks import network_of
from services.settings import settings

UNKNOWN: Final = "There is no account for you here, or it is disabled or locked. Ask an administrator."
NOT_CONFIRMED: Final = "Your sign-in provider has not confirmed your e-mail address, so nobody was signed in."
BOUND: Final = (
    "Your account here is linked to another sign-in at your provider. An administrator can unlink it: Administration, "
    "Accounts."
)
TOO_OLD: Final = "That sign-in took too long. Please start again."
# How old a provider's answer may be, with an allowance for clocks that differ.
_FRESH: Final = timedelta(minutes=10)
# RFC 8176: a second factor was asked for, or a key that needs one to be unlocked.
_FACTORS: Final = frozenset({"mfa", "otp", "hwk", "sc"})


@dataclass(frozen=True, slots=True)
class SignInDecision:
    """Either an account (`checked`, its `login`), or `refused`: a sentence for the person who tried to sign in.

    `has_factor` says that the provider asked for a second factor itself.
    """

    checked: sessions.CheckedAccount | None = None
    login: str = ""
    has_factor: bool = False
    refused: str | None = None

    @property
    def account_id(self) -> int | None:
        return self.checked


def is_on() -> bool:
    return settings().sign_in.provider is not None


def decide(
    claims: Mapping[str, object], *, address: str | None, device: str | None = None
) -> SignInDecision | None:
    """Decide which account the claims of an ID token (OpenID Connect Core 1.0, sections 2 and 5.1) open.

    None when the same answer was decided on before: a copy of the browser's cookies opens nothing. A refusal is
    audited.
    An account is found by its e-mail alone, compared exactly, and only by one that the provider calls verified. The
    first use binds the account to the provider's issuer and subject; afterwards no other subject opens it, and this one
    opens no other account, until an administrator unbinds them.
    """
    if not _is_first_use(claims):
        return None
    email = str(claims.get("email") or "")
    login = sessions.usable_login(email)
    if not _is_fresh(claims):
        return _refuse(login, TOO_OLD, "answer too old", address)
    verified = claims.get("email_verified")  # a word in the answers of some providers
    if not (verified is True or verified == "true") or not login:
        return _refuse(login, NOT_CONFIRMED, "e-mail not verified", address)
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not _is_name(issuer, 500) or not _is_name(subject, 255):
        return _refuse(login, UNKNOWN, "no subject", address)
    account_id = _find_account(email)  # unchanged, its edges included
    if account_id is None:
        return _refuse(login, UNKNOWN, "unknown login", address)
    factors = claims.get("amr")
    has_factor = isinstance(factors, list) and bool(_FACTORS.intersection(map(str, factors)))
    # As the jobs' role: the app's role alone must not suffice to forge a provider's answer.
    with jobs_transaction() as connection:
        attempt = connection.execute(
            text(
                "SELECT begin_provider_attempt(:account, :issuer, :subject, :factor, :network, :device, :address)"
            ),
            {
                "account": account_id,
                "issuer": issuer,
                "subject": subject,
                "factor": has_factor,
                "network": network_of(address),
                "device": sessions.digest(device) if device else None,
                "address": address,
            },
        ).scalar_one()
    if attempt is None:
        return _refuse(login, BOUND, "bound to another", address)
    return SignInDecision(sessions.CheckedAccount(account_id, attempt), login, has_factor)


def record_refusal(decision: SignInDecision, *, address: str | None) -> None:
    """Record that the decision opened no session, because the account is disabled or locked."""
    _refuse(decision.login, UNKNOWN, "refused", address)


def _find_account(email: str) -> int | None:
    """The enabled account with exactly this e-mail; None if there is none, or if two addresses count as identical."""
    wanted = identity_key(email)
    if wanted is None:
        return None
    domain = func.strpos(func.reverse(account.c.email), "@")
    local_part = func.left(account.c.email, func.length(account.c.email) - domain)
    ascii_case = (string.ascii_uppercase, string.ascii_lowercase)
    with jobs_transaction() as connection:
        alike = connection.execute(
            select(account.c.id, account.c.email).where(
                account.c.disabled_at.is_(None),
                func.translate(func.normalize(local_part), *ascii_case) == wanted[0],
            )
        ).all()
    matching = [row.id for row in alike if identity_key(row.email) == wanted]
    return matching[0] if len(matching) == 1 else None


def _is_name(claim: object, longest: int) -> bool:
    return isinstance(claim, str) and 0 < len(claim) <= longest and claim.isprintable()


def _is_first_use(claims: Mapping[str, object]) -> bool:
    # The nonce alone would suffice; but even a provider that omits it never gives the same answer twice.
    named = json.dumps([str(claims.get(name)) for name in ("iss", "sub", "nonce", "iat", "exp")])
    with anonymous_transaction() as connection:
        return bool(
            connection.execute(
                text("SELECT use_single_sign_on(:digest)"),
                {"digest": hashlib.sha256(named.encode("utf-8", "surrogatepass")).digest()},
            ).scalar_one()
        )


def _is_fresh(claims: Mapping[str, object]) -> bool:
    issued = claims.get("iat")
    if not isinstance(issued, int | float):
        return False
    return abs(datetime.now(UTC).timestamp() - issued) < _FRESH.total_seconds()


def _refuse(login: str, sentence: str, reason: str, address: str | None) -> SignInDecision:
    with anonymous_transaction() as connection:
        connection.execute(
            text("SELECT record_refused_single_sign_on(:login, :reason, :address)"),
            {"login": login, "reason": reason, "address": address},
        )
    return SignInDecision(refused=sentence)
