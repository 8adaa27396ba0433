"""streamlit-authenticator over the accounts in the database.

The library draws the form, reads it, and sets the cookie; what it would decide from a dictionary in memory, the
database decides here. It offers no hooks for that, so that private parts of version 0.4.2 are replaced; each has a
test (tests/pages/test_authenticator.py), and docs/decisions/003-sign-in.md says why.
"""

import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import streamlit as st
from extra_streamlit_components.CookieManager import CookieManager, _component_func
from streamlit_authenticator import Authenticate
from streamlit_authenticator.controllers import AuthenticationController, CookieController
from streamlit_authenticator.models import AuthenticationModel, CookieModel

from pages.components import session
from pages.components.request import page_address, page_browser
from services import second_factor, sign_in
from services.errors import SupportError

FORM_KEY = "sign_in"
FIELDS = {"Form name": "ESupport portal", "Username": "Email", "Password": "Password", "Login": "Sign in"}
_PENDING_KEY = "cookie_pending"
PENDING = "second_factor_pending"
# Why a password was not looked at.
NOT_NOW = "sign_in_not_now"
_DEVICE_KEY = "device_token"


@dataclass(frozen=True, slots=True)
class Pending:
    """Who is at the door and has only the code of the second factor left to say."""

    checked: sign_in.CheckedAccount
    since: float = field(default_factory=time.monotonic)


class SessionAuthenticator(Authenticate):
    """The library's form over our accounts and our cookie."""

    def __init__(self) -> None:
        # Not the parent's: it would draw a component that reads every cookie of the browser on each run.
        self.api_key = None
        self.attrs = {"login_sleep_time": 0}
        self.path = None
        self.secret_key = secrets.token_hex(32)  # signs what we do not use: captchas, mailed codes
        self.cookie_controller = SessionCookieController()
        self.authentication_controller = AuthenticationController(
            {"usernames": {}}, auto_hash=False, secret_key=self.secret_key
        )
        self.authentication_controller.authentication_model = AccountModel(
            {"usernames": {}}, auto_hash=False, secret_key=self.secret_key
        )


class AccountModel(AuthenticationModel):
    """Asks the database instead of a dictionary."""

    def check_credentials(self, username: str, password: str) -> bool:
        """Whether a session could be opened; its token is this tab's from then on."""
        address = page_address()
        try:
            checked = sign_in.check_password(username, password, address=address, device=browser_device())
        except SupportError as refusal:  # not about this account: too many from there, or too many at once
            st.session_state[NOT_NOW] = str(refusal)
            return False
        if checked is not None and second_factor.is_asked_after(checked.attempt):
            # Nobody is signed in yet: pages/second_factor.py asks for a code next.
            st.session_state[PENDING] = Pending(checked)
            return False
        token = None if checked is None else open_session(checked, address)
        if token is None:
            return False
        session.begin(token)
        # What the parent looks up after a success; the accounts themselves stay in the database.
        self.credentials["usernames"][username] = {"email": username}
        return True


class SessionCookieModel(CookieModel):
    """A cookie that carries our session's token, written only when it changes."""

    def __init__(self) -> None:
        self.cookie_name = sign_in.COOKIE_NAME
        self.cookie_expiry_days = sign_in.SESSION_LIFE.total_seconds() / 86400
        self.token: Any = None
        self.exp_date: float | None = None

    def set_cookie(self) -> None:
        """Leaves the cookie for `draw_cookie_change`: the script that sets it must outlive this run."""
        self.exp_date = self._set_exp_date()
        _change_cookie(self._token_encode(), self.exp_date)

    def delete_cookie(self) -> None:
        """Leaves the deletion for `draw_cookie_change`."""
        _change_cookie(None, 0)

    def _token_encode(self) -> str:
        return sign_in.cookie_of_token(session.session_token())

    def _token_decode(self) -> dict[str, Any] | bool:
        """What the parent expects of a good cookie; False for every bad one, quietly."""
        viewer = sign_in.cookie_viewer(self.token)
        if viewer is None:
            return False
        return {"username": viewer.email, "exp_date": (datetime.now(UTC) + sign_in.SESSION_LIFE).timestamp()}


class SessionCookieController(CookieController):
    def __init__(self) -> None:
        self.cookie_model = SessionCookieModel()


class CookieWriter(CookieManager):
    """Writes cookies without first reading them all."""

    def __init__(self) -> None:
        self.cookie_manager = _component_func
        self.cookies: dict[str, Any] = {sign_in.COOKIE_NAME: None}


def open_session(checked: sign_in.CheckedAccount, address: str | None) -> str | None:
    """A new session's token; the browser is known from then on, by a cookie that opens nothing."""
    device = browser_device() or sign_in.new_device()
    token = sign_in.open_session(checked, address=address, browser=page_browser(), device=device)
    if token is not None:
        st.session_state[_DEVICE_KEY] = device
    return token


def browser_device() -> str | None:
    """What the browser says it was known by at an earlier sign-in."""
    device = st.context.cookies.get(sign_in.DEVICE_COOKIE) or st.session_state.get(_DEVICE_KEY)
    return device if isinstance(device, str) and sign_in.is_token(device) else None


def sign_out() -> None:
    """Ends this tab's session on the server and deletes its cookie; the next run shows the sign-in form."""
    if token := session.session_token():
        sign_in.end_session(token, address=page_address())
    session.forget()
    SessionCookieModel().delete_cookie()
    st.query_params.clear()


def draw_cookie_change() -> None:
    """Draws the script that sets or deletes the cookie, in every run until the browser says that it ran."""
    # Always there: were it gone after the change, all below would move, and what was typed meanwhile be lost.
    place = st.container(key="cookie_change")
    pending = st.session_state.get(_PENDING_KEY)
    if pending is None:
        return
    key, value, expires = pending
    if st.session_state.get(key) is True:
        del st.session_state[_PENDING_KEY]
        return
    with place:
        if value is None:
            CookieWriter().delete(sign_in.COOKIE_NAME, key=key)
        else:
            CookieWriter().set(
                sign_in.COOKIE_NAME,
                value,
                key=key,
                # With its offset: the browser would take a naive time as one of its own zone.
                expires_at=datetime.fromtimestamp(expires, UTC),
                secure=(st.context.url or "").startswith("https:"),
            )


def _change_cookie(value: str | None, expires: float) -> None:
    # A key of its own, so that the browser's answer to an earlier change is not taken for this one's.
    st.session_state[_PENDING_KEY] = (f"cookie_{secrets.token_hex(8)}", value, expires)
