"""Single sign-on: which answers of a provider open an account, on a real database."""

import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from db.connections.engine import viewer_transaction
from services.access import Role
from services.accounts import sign_in_methods
from services.accounts.administration import Grants, create_account, reset_password
from services.authentication import password_reset, passwords, sessions, single_sign_on
from services.errors import Conflict
from tests.support import factories
from tests.support.factories import run

HASH = passwords.hash_password("correct horse 7")


@pytest.fixture
def anna(database: str) -> Iterator[int]:
    """An account with a one-time password that has run out, Anna@Team.example."""
    rows = run(
        "INSERT INTO account (email, name, role, password_hash, must_change_password, one_time_until) VALUES "
        "('Anna@Team.example', 'Anna', 'specialist', :hash, true, now() - interval '1 day') RETURNING id",
        hash=HASH,
    )
    yield rows[0].id
    run("DELETE FROM account WHERE email ILIKE '%team.example'")


def claims(**changed: object) -> dict[str, object]:
    return {
        "iss": "https://login.example",
        "sub": "1",
        "nonce": uuid.uuid4().hex,
        "iat": time.time(),
        "exp": time.time() + 60,
        "email": "anna@team.EXAMPLE",
        "email_verified": True,
    } | changed


def judge(**changed: object) -> single_sign_on.SignInDecision | None:
    return single_sign_on.decide(claims(**changed), address="192.0.2.7")


def last_audit() -> Any:
    return run("SELECT succeeded, account_id, address, details FROM audit_log ORDER BY id DESC LIMIT 1")[0]


def test_a_verified_email_opens_the_account_and_no_password_is_changed_first(anna: int) -> None:
    judged = judge()
    assert judged is not None and judged.account_id == anna
    assert judged.checked is not None
    token = sessions.open_session(judged.checked, address="192.0.2.7", browser="Test")
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
    assert judge(email_verified=verified) == single_sign_on.SignInDecision(
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
    judged = judge(email=email)
    assert judged is not None and judged.account_id is None
    assert judged.refused in (single_sign_on.UNKNOWN, single_sign_on.NOT_CONFIRMED)
    assert run("SELECT count(*) FROM account") == before
    assert last_audit().account_id is None


@pytest.mark.parametrize("missing", ["email", "email_verified", "iat"])
def test_an_answer_without_what_counts_opens_nothing(anna: int, missing: str) -> None:
    answer = claims()
    del answer[missing]
    judged = single_sign_on.decide(answer, address=None)
    assert judged is not None and judged.account_id is None


@pytest.mark.parametrize("age", [3600, -3600])
def test_an_old_answer_opens_nothing(anna: int, age: int) -> None:
    assert judge(iat=time.time() - age) == single_sign_on.SignInDecision(refused=single_sign_on.TOO_OLD)


@pytest.mark.parametrize(
    "state", ["disabled_at = now()", "locked_until = now() + interval '1 minute'"], ids=["disabled", "locked"]
)
def test_disabled_and_locked_accounts_get_no_session(anna: int, state: str) -> None:
    run(f"UPDATE account SET {state} WHERE id = :id", id=anna)
    judged = judge()
    assert judged is not None
    if judged.checked is not None:
        assert sessions.open_session(judged.checked, address=None) is None
        single_sign_on.record_refusal(judged, address=None)
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
        judged = judge(amr=factors)
        assert judged is not None and judged.has_factor is has_factor and judged.checked is not None
        viewer = sessions.viewer_of_token(sessions.open_session(judged.checked, address=None) or "")
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


def account(email: str) -> int:
    return int(
        run(
            "INSERT INTO account (email, name, role, password_hash) VALUES (:email, 'x', 'specialist', '-') "
            "RETURNING id",
            email=email,
        )[0].id
    )


@pytest.mark.parametrize(
    "email",
    [
        "adm\u0131n@team.example",  # dotless i
        "adm\u0130n@team.example",
        "\uff41dmin@team.example",  # full-width
        "admin@\uff54eam.example",
        "admin@team\u3002example",  # another full stop
        "admin\uff20team.example",
        "admin\u200b@team.example",
        "\u200badmin@team.example",
        "admin@te\u00adam.example",
        "admin@team.example\ufeff",
        "\u0430dmin@team.example",  # Cyrillic
        "\u1d43dmin@team.example",
        "admin@team.example.",
        "admin@@team.example",
        "x, admin@team.example",
        "admin+x@team.example",
    ],
)
def test_what_looks_or_folds_alike_is_somebody_else(anna: int, email: str) -> None:
    account("admin@team.example")
    judged = judge(email=email)
    assert judged is not None and judged.checked is None
    assert judge(email="ADMIN@Team.EXAMPLE").checked is not None, "the control"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("stored", "claimed", "is_same"),
    [
        ("max@straße-team.example", "max@strasse-team.example", False),
        ("max@straße-team.example", "max@xn--strae-team-83a.example", True),
        ("straße@team.example", "strasse@team.example", False),
        ("straße@team.example", "STRASSE@team.example", False),
        ("jose\u0301@team.example", "jos\u00e9@TEAM.example", True),
        ("jos\u00e9@team.example", "JOS\u00c9@team.example", False),
        ("\u03c3\u03b1\u03c2@team.example", "\u03c3\u03b1\u03c3@team.example", False),
    ],
)
def test_letters_of_other_scripts(anna: int, stored: str, claimed: str, is_same: bool) -> None:
    made = account(stored)
    try:
        judged = judge(email=claimed)
        assert judged is not None
        assert judged.checked == (made if is_same else None)
        own = judge(email=stored, sub="1")
        assert own is not None and own.checked == made, "the control"
    finally:
        run("DELETE FROM account WHERE id = :id", id=made)


def test_the_first_use_binds_and_nobody_else_comes_in(anna: int) -> None:
    other = account("boris@team.example")
    assert judge(sub="1").checked == anna  # type: ignore[union-attr]
    [bound] = run("SELECT action, account_id FROM audit_log ORDER BY id DESC LIMIT 1")
    assert tuple(bound) == ("bind single sign-on", anna)
    refused = [
        judge(sub="2"),  # another person at the provider, with the same e-mail
        judge(iss="https://other.example"),
        judge(email="boris@team.example"),  # the same person, with another account's e-mail
    ]
    assert {one and one.refused for one in refused} == {single_sign_on.BOUND}
    assert last_audit().details["reason"] == "bound to another"
    assert judge(sub="1").checked == anna, "who was bound still comes in"  # type: ignore[union-attr]
    assert judge(sub="3", email="boris@team.example").checked == other  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "missing", [{"sub": None}, {"sub": ""}, {"sub": 7}, {"iss": None}, {"sub": "x" * 300}]
)
def test_an_answer_that_names_nobody_opens_nothing(anna: int, missing: dict[str, object]) -> None:
    judged = judge(**missing)
    assert judged is not None and judged.checked is None


def test_a_disabled_account_is_not_bound(anna: int) -> None:
    run("UPDATE account SET disabled_at = now() WHERE id = :id", id=anna)
    judged = judge()
    assert judged is not None and judged.checked is None
    assert run("SELECT 1 FROM single_sign_on_identity WHERE account_id = :id", id=anna) == []


def test_two_first_uses_at_once_bind_one(anna: int) -> None:
    barrier, judged = threading.Barrier(8), []

    def use(number: int) -> None:
        barrier.wait()
        judged.append((number, judge(sub=f"race-{number}")))

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [number for number, one in judged if one is not None and one.checked == anna]
    assert len(winners) == 1
    assert run("SELECT subject FROM single_sign_on_identity WHERE account_id = :id", id=anna) == [
        (f"race-{winners[0]}",)
    ]


def test_an_administrator_unlinks(anna: int) -> None:
    boss = factories.account(f"unlinker{anna}", role="administrator")
    judged = judge(sub="1")
    assert judged is not None and judged.checked is not None
    token = sessions.open_session(judged.checked, address=None)
    waiting = judge(sub="1")
    assert waiting is not None and waiting.checked is not None and token is not None
    said = factories.act(boss, sign_in_methods.unbind_single_sign_on, anna)
    assert said == "The single sign-on of Anna was unlinked."
    assert sessions.viewer_of_token(token) is None, "what it has opened ends"
    assert sessions.open_session(waiting.checked, address=None) is None, "and what it has begun"
    with pytest.raises(Conflict, match="not linked"):
        factories.act(boss, sign_in_methods.unbind_single_sign_on, anna)
    assert judge(sub="2").checked == anna  # type: ignore[union-attr]
    assert judge(sub="1").refused == single_sign_on.BOUND  # type: ignore[union-attr]
    run("DELETE FROM account_session WHERE account_id = :id", id=boss)
