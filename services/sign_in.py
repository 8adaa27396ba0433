"""Signing in, staying signed in, and signing out.

A browser that is signed in holds a random token inside a signed cookie; the database holds the token's SHA-256 only,
and says on every use whether the session still stands. Nothing else makes anybody a viewer.
"""

import hashlib
import hmac
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
from sqlalchemy import text

from db.engine import anonymous_transaction, identify
from db.settings import settings
from services import passwords
from services.access import Viewer, get_viewer
from services.errors import NotAllowed
from services.text_keys import strip_edges

COOKIE_NAME = "esupport"
SESSION_LIFE = timedelta(hours=12)
# One sentence for an unknown login, a wrong password, a locked and a disabled account.
REFUSED = "Email or password is not right, or the account is locked for now."
WRONG_CODE = "This code is not right, was used before, or the account is locked for now."

_SESSION = text("SELECT id, single_sign_on, provider_factor FROM account_of_session(:digest)")
_ALGORITHM = "HS256"
_LONGEST_LOGIN = 320
_LONGEST_COOKIE = 1000


def check_password(login: str, password: str, *, address: str | None) -> int | None:
    """The id of the account that these open, or None: unknown, wrong, locked and disabled are all alike.

    Costs one bcrypt and two short transactions in every case of refusal; no connection is held while bcrypt works.
    A refusal is counted and audited. Where passwords are switched off, none opens anything. `address` is where the
    attempt came from.
    """
    if not settings().passwords:
        return None
    login = usable_login(login)
    with anonymous_transaction() as connection:
        found = connection.execute(
            text("SELECT id, password_hash, may_sign_in FROM account_to_check(:login)"), {"login": login}
        ).one_or_none()
    fits = passwords.matches(password, found.password_hash if found else None)
    if found and fits and found.may_sign_in:
        return int(found.id)
    with anonymous_transaction() as connection:
        connection.execute(
            text("SELECT record_failed_sign_in(:login, :address)"), {"login": login, "address": address}
        )
    return None


def open_session(
    account_id: int,
    *,
    address: str | None,
    browser: str | None = None,
    by_provider: bool = False,
    provider_factor: bool = False,
) -> str | None:
    """A new session's token (256 random bits), or None when the account was locked or disabled meanwhile.

    `by_provider`: a single sign-on opened it, so that no password has to be changed first; `provider_factor`: the
    provider has asked for a second factor itself.
    """
    token = secrets.token_urlsafe(32)
    with anonymous_transaction() as connection:
        opened = connection.execute(
            text(
                "SELECT open_account_session(:account, :digest, :life, :address, :browser, :provider, :factor)"
            ),
            {
                "account": account_id,
                "digest": digest(token),
                "life": SESSION_LIFE,
                "address": address,
                "browser": _printable(browser),
                "provider": by_provider,
                "factor": provider_factor,
            },
        ).scalar_one()
    return token if opened else None


def viewer_of_token(token: str) -> Viewer | None:
    """Who holds the token, with role and stores as they are now; None when the session does not stand any more."""
    with anonymous_transaction() as connection:
        session = connection.execute(_SESSION, {"digest": digest(token)}).one_or_none()
        if session is None:
            return None
        identify(connection, session.id)
        try:
            viewer = get_viewer(connection, session.id)
        except NotAllowed:  # disabled between the two
            return None
    return replace(
        viewer,
        must_change_password=viewer.must_change_password and not session.single_sign_on,
        needs_second_factor=viewer.needs_second_factor and not session.provider_factor,
    )


def end_session(token: str, *, address: str | None) -> None:
    """Ends the session on the server, so that every copy of its cookie is worthless."""
    with anonymous_transaction() as connection:
        connection.execute(
            text("SELECT end_account_session(:digest, :address)"),
            {"digest": digest(token), "address": address},
        )


def cookie_key() -> str:
    """The key that signs cookies, in hexadecimal: 48 bytes, the same for every process at this database."""
    with anonymous_transaction() as connection:
        return bytes(connection.execute(text("SELECT cookie_key()")).scalar_one()).hex()


def web_server_secret() -> str:
    """What Streamlit signs its own cookies with: the same at every process, and not the key of ours."""
    return hmac.new(bytes.fromhex(cookie_key()), b"web server", hashlib.sha256).hexdigest()


def cookie_of_token(token: str) -> str:
    """The cookie's value: a signed JWT with the token and the end of its life."""
    expires = datetime.now(UTC) + SESSION_LIFE
    return jwt.encode({"session": token, "exp": expires}, cookie_key(), algorithm=_ALGORITHM)


def token_of_cookie(cookie_value: str | None) -> str | None:
    """The token inside a cookie that we signed; None for a missing, forged, expired or garbled one.

    Never raises: what a browser sends is not to be trusted, and a bad cookie only means that nobody is signed in.
    """
    if not cookie_value or len(cookie_value) > _LONGEST_COOKIE or cookie_value.count(".") != 2:
        return None
    try:
        claims = jwt.decode(
            cookie_value, cookie_key(), algorithms=[_ALGORITHM], options={"require": ["exp", "session"]}
        )
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    token = claims["session"]
    return token if isinstance(token, str) else None


def cookie_viewer(cookie_value: str | None) -> Viewer | None:
    """Who a request with this cookie comes from; None when its session does not stand."""
    token = token_of_cookie(cookie_value)
    return viewer_of_token(token) if token is not None else None


def digest(token: str) -> bytes:
    """The form in which a token is stored, and the name of its session."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _printable(text_: str | None) -> str | None:
    return "".join(c for c in text_[:400] if c.isprintable()) if text_ else None


def usable_login(login: str, longest: int = _LONGEST_LOGIN) -> str:
    """A login that the database can be asked for; one that cannot exist becomes the empty one, which nobody has."""
    stripped = strip_edges(login)
    if "\0" in login or len(stripped) > longest or any("\ud800" <= c <= "\udfff" for c in stripped):
        return ""
    return stripped
