"""Everything that the portal relies on in Streamlit, streamlit-authenticator and uvicorn beyond what they document.

Nothing else in `pages` uses such a part. Each entry says what it is for, what happens when the library changes it, and
which test fails then. All entries were read at the versions in `READ_AT`; for any other version
tests/pages/web/test_streamlit_private.py fails until somebody has read them again and changed `READ_AT`.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import streamlit as st
import uvicorn.config
from google.protobuf.message import DecodeError
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.web.server.starlette import starlette_server_config


@contextmanager
def _without_context_warnings() -> Iterator[None]:
    """Keep Streamlit from warning in the log that no page is running yet."""
    warnings = logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context")
    was_disabled, warnings.disabled = warnings.disabled, True
    try:
        yield
    finally:
        warnings.disabled = was_disabled


with _without_context_warnings():  # it declares components, which the portal does not use
    from streamlit_authenticator import Authenticate
    from streamlit_authenticator.controllers import AuthenticationController, CookieController
    from streamlit_authenticator.models import AuthenticationModel, CookieModel

READ_AT: Final = {"streamlit": "1.67.0", "streamlit-authenticator": "0.4.2", "uvicorn": "0.54.0"}

# Single sign-on. Streamlit starts it at LOGIN and takes the provider's answer at CALLBACK; it keeps the answer and the
# provider's tokens in cookies of these names (and `<name>_1`, `<name>_2` … for long ones) for 30 days. A cookie of any
# other name in its answer to CALLBACK makes the sign-in fail, with an error in the log (provider_answers.py;
# tests/pages/web/test_provider_answers.py). A renamed constant is an import error.
LOGIN: Final = "/auth/login"
CALLBACK: Final = "/oauth2callback"
IDENTITY_COOKIE: Final = starlette_server_config.USER_COOKIE_NAME
TOKENS_COOKIE: Final = starlette_server_config.TOKENS_COOKIE_NAME
# Of Starlette's session, in which the sign-in's `state` and `nonce` wait for the provider's answer.
STATE_COOKIE: Final = starlette_server_config.SESSION_COOKIE_NAME

# Where streamlit-authenticator notes whether the last password was right: True, False, or None before the first one.
# When it is renamed, a wrong password is answered with silence (tests/pages/authentication/test_authenticator.py).
AUTHENTICATION_STATUS: Final = "authentication_status"

# How Streamlit names the threads that run pages, while they run.
_PAGE_THREADS: Final = "ScriptRunner."

# What the stylesheets and scripts in pages/static find Streamlit's own elements by. A test looks each of them up in the
# installed front end, and finds every one that the files use here.
TEST_IDS: Final = (
    "InputInstructions",
    "data-grid-canvas",
    "stAlertContainer",
    "stBaseButton-primary",
    "stBaseButton-tertiary",
    "stCaptionContainer",
    "stCheckbox",
    "stCode",
    "stColumn",
    "stDataFrame",
    "stDialog",
    "stElementContainer",
    "stElementToolbar",
    "stExpander",
    "stExpanderDetails",
    "stForm",
    "stFormSubmitButton",
    "stHeaderActionElements",
    "stHeading",
    "stHorizontalBlock",
    "stIconMaterial",
    "stLayoutWrapper",
    "stMainBlockContainer",
    "stPageLink",
    "stPopoverBody",
    "stSelectbox",
    "stTextArea",
    "stTextAreaRootElement",
    "stToastContainer",
    "stTopNavLink",
    "stVerticalBlock",
)
# The same for classes.
CLASSES: Final = ("stApp", "stDataFrame", "stHeading", "stHtml")


def is_page_running() -> bool:
    """Whether this process is drawing a page for somebody: an export gives way to it.

    When Streamlit renames its threads, exports no longer give way, and pages become slower beside them
    (tests/pages/web/test_streamlit_private.py).
    """
    return any(thread.name.startswith(_PAGE_THREADS) for thread in threading.enumerate())


def is_submitted(form_key: str, label: str) -> bool:
    """Whether this run comes from the button of that label in the form, also when somebody else draws the form.

    Streamlit makes the button's key of both. When it makes another one, an empty sign-in form is answered with silence
    (tests/pages/authentication/test_authenticator.py).
    """
    return bool(st.session_state.get(f"FormSubmitter:{form_key}-{label}"))


def tab_id() -> str | None:
    """The id by which Streamlit knows the running page's tab; None outside of a page.

    `get_script_run_ctx` and its `session_id` are not documented. Without them no page runs (all tests of pages).
    """
    context = get_script_run_ctx()
    return context.session_id if context else None


def is_page_message(data: bytes) -> bool:
    """Whether `data` is a message that a page's browser sends over its websocket.

    When Streamlit changes the message, every page's connection is closed (tests/attacks/test_tabs.py).
    """
    try:
        BackMsg.FromString(data)
    except DecodeError:
        return False
    return True


def ignore_pages_folder() -> None:
    """Keep Streamlit from serving the files of a folder named "pages" as pages, past the gate in `app.py`.

    It ignores the folder from the first `st.navigation` of any session on, as it documents; until then the first
    visitor could ask for a file. So the server calls `st.navigation` itself, before there is a session; that this has
    the same effect is not documented. When it has not, a file of the folder is seen to run
    (tests/pages/web/test_gate_of_pages.py).
    """
    with _without_context_warnings():
        st.navigation([st.Page(_no_page, title="None")], position="hidden")


def _no_page() -> None:
    """Never drawn."""


def ignore_forwarded_headers() -> None:
    """Keep uvicorn from believing an `X-Forwarded-For` from this machine: proxies.py decides whom to believe.

    Uvicorn has a switch, which Streamlit does not pass on. It takes its middleware when it has imported the
    application, so this must be called by the application's module. When uvicorn renames the class, the server does not
    start; when it takes it earlier, a request can choose its address (tests/attacks/test_doors.py).
    """
    name = "ProxyHeadersMiddleware"
    if not hasattr(uvicorn.config, name):
        raise RuntimeError(f"uvicorn.config has no {name}: read pages/web/streamlit_private.py again.")
    setattr(uvicorn.config, name, _Untouched)


class _Untouched:
    """A replacement for uvicorn's middleware that changes nothing."""

    def __init__(self, app: ASGIApp, trusted_hosts: object = None) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class SignInForm(Authenticate):  # type: ignore[misc]  # the library has no types
    """streamlit-authenticator's form, with the credentials and the cookie of the portal.

    The library offers no hooks for either, so the objects that it asks are replaced. A method that it calls by another
    name fails tests/pages/authentication/test_authenticator.py.
    """

    def __init__(self, check: Callable[[str, str], bool], set_cookie: Callable[[], None]) -> None:
        # Not the parent's: it would draw a component that reads every cookie of the browser in each run.
        self.api_key = None
        self.attrs = {"login_sleep_time": 0}
        self.path = None
        self.secret_key = secrets.token_hex(32)  # signs what the portal does not use: captchas, mailed codes
        self.cookie_controller = _Cookies(TicketCookie(set_cookie))
        self.authentication_controller = AuthenticationController(
            {"usernames": {}}, auto_hash=False, secret_key=self.secret_key
        )
        self.authentication_controller.authentication_model = CheckedCredentials(check, self.secret_key)


class CheckedCredentials(AuthenticationModel):  # type: ignore[misc]  # the library has no types
    """A model that asks `check` instead of a dictionary of users."""

    def __init__(self, check: Callable[[str, str], bool], secret_key: str) -> None:
        super().__init__({"usernames": {}}, auto_hash=False, secret_key=secret_key)
        self._check = check

    def check_credentials(self, username: str, password: str) -> bool:
        is_right = self._check(username, password)
        if is_right:  # what the parent looks up after a success; the accounts themselves stay in the database
            self.credentials["usernames"][username] = {"email": username}
        return is_right


class TicketCookie(CookieModel):  # type: ignore[misc]  # the library has no types
    """A model that leaves the cookie to `set_cookie` and never reads or deletes one."""

    def __init__(self, set_cookie: Callable[[], None]) -> None:
        # Not the parent's: it would draw a component that reads every cookie of the browser.
        self._set_cookie = set_cookie

    def get_cookie(self) -> None:
        """Return None: where the form is drawn, nobody is signed in."""

    def set_cookie(self) -> None:
        self._set_cookie()

    def delete_cookie(self) -> None:
        """Do nothing: the portal signs out without the library."""


class _Cookies(CookieController):  # type: ignore[misc]  # the library has no types
    def __init__(self, model: TicketCookie) -> None:
        self.cookie_model = model
