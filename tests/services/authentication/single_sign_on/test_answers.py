"""Single sign-on: which answers of a provider open an account, on a real database."""

import time

import pytest

from db.connections.engine import viewer_transaction
from services.access import Role
from services.accounts.administration import Grants, create_account, reset_password
from services.authentication import password_reset, sessions, single_sign_on
from services.errors import Conflict
from tests.services.authentication.single_sign_on.answers import claims, decide, last_audit
from tests.support import factories
from tests.support.factories import run


def test_a_verified_email_opens_the_account_and_no_password_is_changed_first(anna: int) -> None:
    decision = decide()
    assert decision is not None and decision.account_id == anna
    assert decision.checked is not None
    token = sessions.open_session(decision.checked, address="192.0.2.7", browser="Test")
    viewer = sessions.viewer_of_token(token or "")
    assert viewer is not None and viewer.may_enter
    assert last_audit() == (True, anna, "192.0.2.7", {"by": "single sign-on", "browser": "Test"})
    # The same person by password would have to set one first (and could not: it has run out).
    assert sessions.check_password("anna@team.example", "correct horse 7", address=None) is None


def test_an_answer_counts_once(anna: int) -> None:
    answer = claims()
    assert single_sign_on.decide(answer, address=None) is not None
    assert single_sign_on.decide(answer, address=None) is None
    assert single_sign_on.decide(answer | {"nonce": "another"}, address=None) is not None


@pytest.mark.parametrize("verified", [False, None, "false", 1, "yes"])
def test_an_unverified_email_opens_nothing(anna: int, verified: object) -> None:
    assert decide(email_verified=verified) == single_sign_on.SignInDecision(
        refused=single_sign_on.NOT_CONFIRMED
    )
    assert last_audit() == (
        False,
        anna,
        "192.0.2.7",
        {"reason": "e-mail not verified", "by": "single sign-on"},
    )


@pytest.mark.parametrize(
    "email", ["nobody@team.example", "anna@team.example.evil", "x" * 5000, "a\0b", "\ud800@x"]
)
def test_strangers_are_refused_and_no_account_is_made(anna: int, email: str) -> None:
    before = run("SELECT count(*) FROM account")
    decision = decide(email=email)
    assert decision is not None and decision.account_id is None
    assert decision.refused in (single_sign_on.UNKNOWN, single_sign_on.NOT_CONFIRMED)
    assert run("SELECT count(*) FROM account") == before
    assert last_audit().account_id is None


@pytest.mark.parametrize("missing", ["email", "email_verified", "iat"])
def test_an_answer_without_what_counts_opens_nothing(anna: int, missing: str) -> None:
    answer = claims()
    del answer[missing]
    decision = single_sign_on.decide(answer, address=None)
    assert decision is not None and decision.account_id is None


@pytest.mark.parametrize("age", [3600, -3600])
def test_an_old_answer_opens_nothing(anna: int, age: int) -> None:
    assert decide(iat=time.time() - age) == single_sign_on.SignInDecision(refused=single_sign_on.TOO_OLD)


@pytest.mark.parametrize(
    "state", ["disabled_at = now()", "locked_until = now() + interval '1 minute'"], ids=["disabled", "locked"]
)
def test_disabled_and_locked_accounts_get_no_session(anna: int, state: str) -> None:
    run(f"UPDATE account SET {state} WHERE id = :id", id=anna)
    decision = decide()
    assert decision is not None
    if decision.checked is not None:
        assert sessions.open_session(decision.checked, address=None) is None
        single_sign_on.record_refusal(decision, address=None)
    assert run("SELECT count(*) FROM account_session WHERE account_id = :id", id=anna)[0].count == 0
    assert last_audit().succeeded is False


@pytest.mark.parametrize(
    ("factors", "has_factor"),
    [
        (["pwd", "mfa"], True),
        (["otp"], True),
        (["pwd"], False),
        (None, False),
        ("mfa", False),
        ([["mfa"]], False),
    ],
)
def test_a_required_second_factor_is_the_providers_or_ours(
    anna: int, factors: object, has_factor: bool
) -> None:
    run("UPDATE role_rule SET second_factor_required = true WHERE role = 'specialist'")
    try:
        decision = decide(amr=factors)
        assert decision is not None and decision.has_factor is has_factor and decision.checked is not None
        viewer = sessions.viewer_of_token(sessions.open_session(decision.checked, address=None) or "")
        assert viewer is not None and viewer.needs_second_factor is not has_factor
    finally:
        run("UPDATE role_rule SET second_factor_required = false")


@pytest.fixture
def no_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ESUPPORT_PASSWORDS": "0",
        "OIDC_ISSUER": "https://login.example",
        "OIDC_CLIENT_ID": "portal",
        "OIDC_CLIENT_SECRET": "hush",
        "OIDC_NAME": "the house key",
    }.items():
        monkeypatch.setenv(name, value)


def test_where_passwords_are_off_none_opens_or_sets_anything(anna: int, no_passwords: None) -> None:
    run("UPDATE account SET must_change_password = false, one_time_until = NULL WHERE id = :id", id=anna)
    mails = run("SELECT count(*) FROM mail")
    assert sessions.check_password("anna@team.example", "correct horse 7", address=None) is None
    password_reset.request_link("anna@team.example", address=None)
    assert run("SELECT count(*) FROM mail") == mails
    assert not password_reset.is_usable("x")


def test_where_passwords_are_off_a_new_account_is_told_so(database: str, no_passwords: None) -> None:
    asks = factories.viewer(factories.account("boss", role="administrator"))
    with viewer_transaction(asks.account_id) as connection:
        create_account(
            connection, asks, email="new@team.example", name="New", grants=Grants(role=Role.SPECIALIST)
        )
    try:
        mail = run("SELECT text_body, html_body FROM mail WHERE to_address = 'new@team.example'")[0]
        for part in mail:
            assert "Sign in with the house key." in part
            assert "password" not in part.casefold()
        made = run("SELECT id FROM account WHERE email = 'new@team.example'")[0].id
        with pytest.raises(Conflict), viewer_transaction(asks.account_id) as connection:
            reset_password(connection, asks, made)
    finally:
        run("DELETE FROM mail WHERE to_address = 'new@team.example'")
        run("DELETE FROM account WHERE email = 'new@team.example'")


# --- Whose account it is: exactly, and bound at first use.
