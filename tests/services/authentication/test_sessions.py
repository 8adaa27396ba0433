"""Signing in, staying signed in, signing out: the rules, on a real database."""

import base64
import hashlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import bcrypt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from db.connections.engine import jobs_transaction
from services.access import Role
from services.authentication import passwords, sessions
from services.sealed_values import cookie_key

PASSWORD = "correct horse 7"
HASH = passwords.hash_password(PASSWORD)


def run(statement: str, **values: object) -> Any:
    with jobs_transaction() as connection:
        result = connection.execute(text(statement), values)
        return result.all() if result.returns_rows else None


@pytest.fixture
def anna(database: str) -> Iterator[int]:
    """An account that is fresh for each test; its email is Anna@Team.example."""
    rows = run(
        "INSERT INTO account (email, name, role, password_hash, must_change_password) "
        "VALUES ('Anna@Team.example', 'Anna', 'specialist', :hash, false) RETURNING id",
        hash=HASH,
    )
    run("DELETE FROM sign_in_attempt")
    yield rows[0].id
    run("DELETE FROM account WHERE id = :id", id=rows[0].id)


@pytest.fixture
def bcrypts(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The cost part of every hash that a password was really compared with."""
    seen: list[bytes] = []
    real = bcrypt.hashpw

    def counting(password: bytes, salt: bytes) -> bytes:
        answer = real(password, salt)
        seen.append(salt[:7])
        return answer

    monkeypatch.setattr(bcrypt, "hashpw", counting)
    return seen


def open_session(account: int) -> str:
    """Signs in as a browser does."""
    checked = sessions.check_password("anna@team.example", PASSWORD, address=None)
    assert checked == account
    token = sessions.open_session(checked, address="192.0.2.1")
    assert token is not None
    return token


def last_audit() -> Any:
    return run(
        "SELECT action, succeeded, account_id, address, details FROM audit_log ORDER BY id DESC LIMIT 1"
    )[0]


@pytest.mark.parametrize("login", ["Anna@Team.example", " anna@team.EXAMPLE "])
@pytest.mark.parametrize("password", [PASSWORD, f"  {PASSWORD}\n"])
def test_the_right_password_opens_a_session(anna: int, login: str, password: str) -> None:
    checked = sessions.check_password(login, password, address=None)
    assert checked == anna
    viewer = sessions.viewer_of_token(sessions.open_session(checked, address="192.0.2.1") or "")
    assert viewer is not None
    assert (viewer.account_id, viewer.email, viewer.role) == (anna, "Anna@Team.example", Role.SPECIALIST)
    audit = last_audit()
    assert (audit.action, audit.succeeded, audit.account_id, audit.address) == (
        "sign in",
        True,
        anna,
        "192.0.2.1",
    )


@pytest.mark.parametrize(
    "case", ["wrong", "unknown", "locked", "disabled", "empty", "blocked hash", "too long"]
)
def test_every_refusal_costs_one_bcrypt_of_the_same_cost(anna: int, bcrypts: list[bytes], case: str) -> None:
    login, password = "anna@team.example", PASSWORD
    if case == "wrong":
        password = "wrong"
    elif case == "unknown":
        login = "nobody@team.example"
    elif case == "locked":
        run("UPDATE account SET locked_until = now() + interval '1 minute' WHERE id = :id", id=anna)
    elif case == "disabled":
        run("UPDATE account SET disabled_at = now() WHERE id = :id", id=anna)
    elif case == "empty":
        login = ""
    elif case == "blocked hash":
        run("UPDATE account SET password_hash = '!' WHERE id = :id", id=anna)
    else:
        password = PASSWORD + "x" * 5000
    assert sessions.check_password(login, password, address="192.0.2.9") is None
    assert bcrypts == [HASH[:7].encode()]
    audit = last_audit()
    assert (audit.action, audit.succeeded, audit.address) == ("sign in", False, "192.0.2.9")


def test_an_unknown_login_is_not_written_down(anna: int) -> None:
    sessions.check_password("my-secret-password-in-the-wrong-field", "x", address=None)
    assert "secret" not in str(run("SELECT * FROM audit_log ORDER BY id DESC LIMIT 1"))


def test_the_fifth_failure_locks_for_fifteen_minutes(anna: int) -> None:
    for _ in range(4):
        assert sessions.check_password("anna@team.example", "wrong", address=None) is None
    checked = sessions.check_password("anna@team.example", PASSWORD, address=None)
    assert checked == anna, "four are no lock"
    assert sessions.check_password("anna@team.example", "wrong", address=None) is None
    assert sessions.check_password("anna@team.example", PASSWORD, address=None) is None
    assert sessions.open_session(checked, address=None) is None, (
        "nor may an attempt that was under way get in"
    )
    left = run("SELECT locked_until - now() AS left FROM account WHERE id = :id", id=anna)[0].left
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)
    run("UPDATE account SET locked_until = now() - interval '1 second' WHERE id = :id", id=anna)
    assert sessions.check_password("anna@team.example", PASSWORD, address=None) == anna
    open_session(anna)
    assert run("SELECT failed_sign_ins FROM account WHERE id = :id", id=anna)[0].failed_sign_ins == 0


def test_an_account_disabled_after_the_check_gets_no_session(anna: int) -> None:
    checked = sessions.check_password("anna@team.example", PASSWORD, address=None)
    assert checked == anna
    run("UPDATE account SET disabled_at = now() WHERE id = :id", id=anna)
    assert sessions.open_session(checked, address=None) is None


def test_only_a_digest_of_the_token_is_kept(anna: int) -> None:
    token = open_session(anna)
    row = run("SELECT * FROM account_session WHERE account_id = :id", id=anna)[0]
    assert bytes(row.token_digest) == hashlib.sha256(token.encode()).digest()
    assert token not in str(row)
    assert len(base64.urlsafe_b64decode(token + "=")) == 32
    assert timedelta(hours=11, minutes=59) < row.expires_at - datetime.now(UTC) <= timedelta(hours=12)


@pytest.mark.parametrize("case", ["signed out", "expired", "disabled"])
def test_a_session_that_does_not_stand_has_no_viewer(anna: int, case: str) -> None:
    token, other = open_session(anna), open_session(anna)
    assert sessions.viewer_of_token(token) is not None
    if case == "signed out":
        sessions.end_session(token, address=None)
        assert last_audit().action == "sign out"
        assert sessions.viewer_of_token(other) is not None, "another browser stays signed in"
    elif case == "expired":
        run("UPDATE account_session SET expires_at = now() WHERE account_id = :id", id=anna)
    else:
        run("UPDATE account SET disabled_at = now() WHERE id = :id", id=anna)
    assert sessions.viewer_of_token(token) is None


def test_role_and_stores_are_those_of_now(anna: int) -> None:
    token = open_session(anna)
    before = sessions.viewer_of_token(token)
    assert before is not None
    assert before.stores == ()
    run("INSERT INTO checkout_page (name) VALUES ('store-now') ON CONFLICT DO NOTHING")
    run(
        "INSERT INTO account_page (account_id, checkout_page_id) "
        "SELECT :id, id FROM checkout_page WHERE name = 'store-now'",
        id=anna,
    )
    run("UPDATE account SET role = 'analyst' WHERE id = :id", id=anna)
    after = sessions.viewer_of_token(token)
    assert after is not None
    assert ([store.name for store in after.stores], after.role) == (["store-now"], Role.ANALYST)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(login=st.text(alphabet=st.characters()))
def test_no_login_whatever_raises(database: str, monkeypatch: pytest.MonkeyPatch, login: str) -> None:
    monkeypatch.setattr(passwords, "_NOBODYS_HASH", bcrypt.hashpw(b"x", bcrypt.gensalt(4)).decode())
    run("DELETE FROM sign_in_attempt")  # so many from one network have to pause
    assert sessions.check_password(login, "x", address=None) is None


@pytest.mark.parametrize(
    "login", ["\0", "anna@team.example\0", "\ud800", "a" * 10_000_000, "%", "' OR true --"]
)
def test_hostile_logins_are_unknown(anna: int, login: str) -> None:
    started = time.monotonic()
    assert sessions.check_password(login, PASSWORD, address=None) is None
    assert time.monotonic() - started < 3


def test_cookie_key_is_one_for_all(database: str) -> None:
    assert cookie_key() == cookie_key()
    assert len(bytes.fromhex(cookie_key())) >= 32
