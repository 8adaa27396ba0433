"""Single sign-on: whom an OpenID Connect provider has signed in, and whether that opens an account here.

The provider says who somebody is; whether they have an account, its role and its stores stay ours. The web server has
checked the answer's signature, audience and nonce before it comes here.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from db.engine import anonymous_transaction
from db.settings import settings
from services import sign_in

UNKNOWN: Final = "There is no account for you here, or it is disabled or locked. Ask an administrator."
NOT_CONFIRMED: Final = "Your sign-in provider has not confirmed your e-mail address, so nobody was signed in."
TOO_OLD: Final = "That sign-in took too long. Please start again."
# How old a provider's answer may be, clocks that differ a little included.
_FRESH: Final = timedelta(minutes=10)
# RFC 8176: a second factor was asked for, or a key that needs one to be unlocked.
_FACTORS: Final = frozenset({"mfa", "otp", "hwk", "sc"})


@dataclass(frozen=True, slots=True)
class Judgement:
    """Either an account (`account_id`, its `login`), or `refused`: a sentence for whoever stands at the door.

    `has_factor` says that the provider asked for a second factor itself.
    """

    account_id: int | None = None
    login: str = ""
    has_factor: bool = False
    refused: str | None = None


def is_on() -> bool:
    return settings().provider is not None


def judge(claims: Mapping[str, Any], *, address: str | None) -> Judgement | None:
    """What the claims of an ID token (OpenID Connect Core 1.0, sections 2 and 5.1) open here.

    None when this very answer was judged before: a copy of the browser's cookies opens nothing. A refusal is audited.
    Accounts are found by e-mail, and only by one that the provider calls verified.
    """
    if not _is_first_use(claims):
        return None
    login = sign_in.usable_login(str(claims.get("email") or ""))
    if not _is_fresh(claims):
        return _refuse(login, TOO_OLD, "answer too old", address)
    verified = claims.get("email_verified")  # a word in the answers of some providers
    if not (verified is True or verified == "true") or not login:
        return _refuse(login, NOT_CONFIRMED, "e-mail not verified", address)
    with anonymous_transaction() as connection:
        account_id = connection.execute(
            text("SELECT id FROM account_to_check(:login)"), {"login": login}
        ).scalar_one_or_none()
    if account_id is None:
        return _refuse(login, UNKNOWN, "unknown login", address)
    factors = claims.get("amr")
    return Judgement(
        account_id, login, isinstance(factors, list) and bool(_FACTORS.intersection(map(str, factors)))
    )


def open_session(judged: Judgement, *, address: str | None, browser: str | None) -> str | None:
    """A new session's token; None, and audited, when the account is disabled or locked."""
    assert judged.account_id is not None  # noqa: S101 - only whoever was not refused comes here
    token = sign_in.open_session(
        judged.account_id,
        address=address,
        browser=browser,
        by_provider=True,
        provider_factor=judged.has_factor,
    )
    if token is None:
        _refuse(judged.login, UNKNOWN, "refused", address)
    return token


def _is_first_use(claims: Mapping[str, Any]) -> bool:
    # The nonce alone would do; a provider that leaves it out still never gives the same answer twice.
    named = json.dumps([str(claims.get(name)) for name in ("iss", "sub", "nonce", "iat", "exp")])
    with anonymous_transaction() as connection:
        return bool(
            connection.execute(
                text("SELECT use_single_sign_on(:digest)"),
                {"digest": hashlib.sha256(named.encode("utf-8", "surrogatepass")).digest()},
            ).scalar_one()
        )


def _is_fresh(claims: Mapping[str, Any]) -> bool:
    issued = claims.get("iat")
    if not isinstance(issued, int | float):
        return False
    return abs(datetime.now(UTC).timestamp() - issued) < _FRESH.total_seconds()


def _refuse(login: str, sentence: str, reason: str, address: str | None) -> Judgement:
    with anonymous_transaction() as connection:
        connection.execute(
            text("SELECT record_refused_single_sign_on(:login, :reason, :address)"),
            {"login": login, "reason": reason, "address": address},
        )
    return Judgement(refused=sentence)
