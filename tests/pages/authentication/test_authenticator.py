"""Each private part of streamlit-authenticator that is replaced, and the gate that stands on them."""

import importlib.metadata
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest
from streamlit_authenticator.models import AuthenticationModel, CookieModel

from db.connections.engine import jobs_transaction
from pages.authentication import authenticator
from pages.components.layout import session
from pages.web import browser_cookies, streamlit_private
from pages.web.browser_cookies import Cookie
from services.authentication import passwords, sessions

APP = Path(__file__).resolve().parents[3] / "app.py"
PASSWORD = "correct horse 7"
HASH = passwords.hash_password(PASSWORD)


def run(statement: str, **values: object) -> Any:
    with jobs_transaction() as connection:
        result = connection.execute(text(statement), values)
        return result.all() if result.returns_rows else None


@pytest.fixture
def account(database: str) -> int:
    run("DELETE FROM account")
    [[account_id]] = run(
        "INSERT INTO account (email, name, role, password_hash, must_change_password) "
        "VALUES ('anna@team.example', 'Anna', 'specialist', :hash, true) RETURNING id",
        hash=HASH,
    )
    return int(account_id)


def opened(at: AppTest) -> AppTest:
    at.run(timeout=30)
    assert not at.exception
    return at


def submit(at: AppTest, email: str, password: str) -> AppTest:
    at.text_input[0].input(email)
    at.text_input[1].input(password)
    at.button[0].click()
    return opened(at)


def labels(at: AppTest) -> list[str]:
    return [field.label for field in at.text_input]


def test_the_version_whose_private_parts_are_replaced() -> None:
    assert importlib.metadata.version("streamlit-authenticator") == "0.4.2"
    assert importlib.metadata.version("extra-streamlit-components")


@pytest.mark.parametrize(
    ("ours", "theirs", "name"),
    [
        (streamlit_private.CheckedCredentials, AuthenticationModel, "check_credentials"),
        (streamlit_private.TicketCookie, CookieModel, "set_cookie"),
        (streamlit_private.TicketCookie, CookieModel, "delete_cookie"),
        (streamlit_private.TicketCookie, CookieModel, "get_cookie"),
    ],
)
def test_what_is_replaced_is_still_called_that_way(ours: type, theirs: type, name: str) -> None:
    own, original = getattr(ours, name), getattr(theirs, name)
    assert own is not original
    assert list(inspect.signature(own).parameters) == list(inspect.signature(original).parameters)


def test_the_form_reads_no_cookies_of_the_browser(account: int) -> None:
    at = opened(AppTest.from_file(str(APP)))
    assert labels(at) == ["Email", "Password"]
    assert [button.label for button in at.button] == ["Sign in", "Forgot password?"]
    assert at.get("component_instance") == []


def test_credentials_are_checked_in_the_database(account: int) -> None:
    at = submit(opened(AppTest.from_file(str(APP))), "ANNA@team.example ", f" {PASSWORD}")
    token = at.session_state[session.TOKEN_KEY]
    viewer = sessions.viewer_of_token(token)
    assert viewer is not None
    assert viewer.account_id == account
    assert labels(at) == ["New password", "New password again"]


@pytest.mark.parametrize(
    ("email", "password"),
    [("anna@team.example", "wrong"), ("nobody@team.example", PASSWORD), ("anna@team.example", "x" * 5000)],
)
def test_every_refusal_is_the_same_sentence(account: int, email: str, password: str) -> None:
    at = submit(opened(AppTest.from_file(str(APP))), email, password)
    assert [error.value for error in at.error] == [sessions.REFUSED]
    assert at.session_state[session.TOKEN_KEY] == ""
    assert run("SELECT count(*) AS n FROM account_session")[0].n == 0


def test_an_empty_form_asks_for_both(account: int) -> None:
    at = submit(opened(AppTest.from_file(str(APP))), "", "")
    assert [error.value for error in at.error] == ["Enter your email and your password."]


def _waiting(at: AppTest) -> Sequence[Cookie] | None:
    """What the tab's browser is about to fetch."""
    ticket, _ = at.session_state[authenticator._TICKET_KEY]
    return browser_cookies.redeem(ticket)


def test_the_cookie_carries_the_session_and_no_name(account: int) -> None:
    at = submit(opened(AppTest.from_file(str(APP))), "anna@team.example", PASSWORD)
    ticket, _ = at.session_state[authenticator._TICKET_KEY]
    token = at.session_state[session.TOKEN_KEY]
    drawn = [element.proto for element in at.get("bidi_component")]
    assert len(drawn) == 1
    assert ticket in str(drawn[0]) and token not in str(drawn[0]), "the page holds the ticket alone"
    device = at.session_state[session.DEVICE_KEY]
    assert _waiting(at) == (
        Cookie(browser_cookies.SESSION, token, 12 * 3600),
        Cookie(browser_cookies.DEVICE, device, 90 * 86400),
    )
    assert _waiting(at) is None, "it works once"
    assert opened(at).get("bidi_component") == [], "and is drawn until then"


def test_signing_out_forgets_everything_and_deletes_the_cookie(account: int) -> None:
    at = submit(opened(AppTest.from_file(str(APP))), "anna@team.example", PASSWORD)
    token = at.session_state[session.TOKEN_KEY]
    at.session_state["someone's search"] = "a customer's name"
    next(button for button in at.button if button.label == "Sign out").click()
    opened(at)
    assert labels(at) == ["Email", "Password"]
    assert sessions.viewer_of_token(token) is None
    assert "someone's search" not in at.session_state
    assert _waiting(at) == (Cookie(browser_cookies.SESSION, None, only_if=sessions.digest(token)),)
    submit(at, "anna@team.example", PASSWORD)
    assert labels(at) == ["New password", "New password again"], "the form works again in the same tab"


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE account SET disabled_at = now()",
        "UPDATE account_session SET ended_at = now(), ended_because = 'reset'",
        "UPDATE account_session SET expires_at = now()",
    ],
)
def test_a_session_that_ended_shows_the_form_at_the_next_run(account: int, end: str) -> None:
    at = submit(opened(AppTest.from_file(str(APP))), "anna@team.example", PASSWORD)
    at.session_state["someone's search"] = "a customer's name"
    opened(at)
    assert labels(at) == ["New password", "New password again"], "the control: it lasts until then"
    run(end)
    opened(at)
    assert labels(at) == ["Email", "Password"]
    assert "someone's search" not in at.session_state


def test_a_one_time_password_opens_nothing_but_the_new_one(account: int) -> None:
    at = submit(opened(AppTest.from_file(str(APP))), "anna@team.example", PASSWORD)
    at.text_input[0].input("too short")
    at.button[0].click()
    opened(at)
    assert labels(at) == ["New password", "New password again"]
    assert any("at least 12 characters" in block.body for block in at.get("html") if hasattr(block, "body"))
