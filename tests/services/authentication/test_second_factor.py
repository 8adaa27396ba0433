"""The second factor: codes of an app, each good once, recovery codes, and the roles that must have one."""

import time
from uuid import uuid4

import pyotp
import pytest

from db.connections.engine import viewer_transaction
from services.access import Role
from services.accounts import sign_in_methods
from services.actions import ActionRequest, perform
from services.authentication import passwords, second_factor, sessions
from services.authentication.passwords import hash_password
from services.errors import Conflict, InvalidInput
from tests.support import factories
from tests.support.factories import run

PASSWORD = "demo-Portal-1"
LOGIN = "anna@test.example"


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    return {"anna": factories.account("anna"), "admin": factories.account("admin", role="administrator")}


@pytest.fixture(autouse=True)
def fresh(people: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", 4)
    run(
        "UPDATE account SET totp_secret = NULL, totp_last_step = NULL, failed_sign_ins = 0, locked_until = NULL, "
        "password_hash = :hash",
        hash=hash_password(PASSWORD),
    )
    run("UPDATE role_rule SET second_factor_required = false")
    run("DELETE FROM sign_in_attempt")


def enrolled(account_id: int) -> tuple[str, tuple[str, ...]]:
    """The secret and the recovery codes; the code that was used lies a step back, so that the next one is unused."""
    viewer = factories.viewer(account_id)
    enrolment = second_factor.begin(viewer)
    codes = second_factor.confirm(
        viewer, enrolment, code(enrolment.secret, -1), password=PASSWORD, address=None
    )
    return enrolment.secret, codes


def code(secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(time.time()) + 30 * steps)


def checked() -> sessions.CheckedAccount:
    """The password was right."""
    account = sessions.check_password(LOGIN, PASSWORD, address=None)
    assert account is not None
    return account


def fits(account_id: int, typed: str) -> bool:
    account = checked()
    assert account == account_id
    return second_factor.check(account.attempt, typed, address="192.0.2.5")


def is_on(account_id: int) -> bool:
    return bool(run("SELECT has_second_factor FROM account WHERE id = :id", id=account_id)[0][0])


def test_the_picture_holds_the_secret_and_the_login(people: dict[str, int]) -> None:
    enrolment = second_factor.begin(factories.viewer(people["anna"]))
    assert len(enrolment.secret) == 32 and enrolment.qr_svg.startswith("<svg")
    assert second_factor.begin(factories.viewer(people["anna"])).secret != enrolment.secret


def test_a_code_counts_once(people: dict[str, int]) -> None:
    secret, _ = enrolled(people["anna"])
    assert is_on(people["anna"])
    now = code(secret)
    assert fits(people["anna"], f" {now[:3]} {now[3:]} ")
    assert not fits(people["anna"], now)
    assert not fits(people["anna"], code(secret, -1))


@pytest.mark.parametrize("typed", ["", "000000x", "12345", "１２３４５６", "x" * 1_000_000, "\ud800"])
def test_what_is_no_code(typed: str, people: dict[str, int]) -> None:
    enrolled(people["anna"])
    assert not fits(people["anna"], typed)


def test_clocks_may_be_a_step_off_and_no_more(people: dict[str, int]) -> None:
    secret, _ = enrolled(people["anna"])
    assert not fits(people["anna"], code(secret, 3)) and not fits(people["anna"], code(secret, -3))
    assert fits(people["anna"], code(secret, 1))


def test_five_wrong_codes_lock_the_account(people: dict[str, int]) -> None:
    secret, _ = enrolled(people["anna"])
    account = checked()
    for _ in range(5):
        assert not second_factor.check(account.attempt, "000000", address=None)
    assert sessions.check_password(LOGIN, PASSWORD, address=None) is None
    # A right code opens nothing meanwhile.
    assert not second_factor.check(account.attempt, code(secret), address=None)
    assert sessions.open_session(account, address=None) is None


def test_each_recovery_code_lets_in_once(people: dict[str, int]) -> None:
    _, codes = enrolled(people["anna"])
    assert len(set(codes)) == 10
    assert fits(people["anna"], f" {codes[0].upper()} ")
    assert not fits(people["anna"], codes[0])
    assert fits(people["anna"], codes[1])
    stored = repr(run("SELECT * FROM recovery_code")) + repr(run("SELECT * FROM audit_log"))
    assert not any(code in stored for code in codes)
    assert run("SELECT count(*) FROM audit_log WHERE action = 'use recovery code'") == [(2,)]


def test_confirming_needs_a_code_of_this_secret(people: dict[str, int]) -> None:
    viewer = factories.viewer(people["anna"])
    with pytest.raises(InvalidInput):
        second_factor.confirm(viewer, second_factor.begin(viewer), "000000", password=PASSWORD, address=None)
    assert not is_on(people["anna"])


def test_switching_off_needs_the_password(people: dict[str, int]) -> None:
    enrolled(people["anna"])
    viewer = factories.viewer(people["anna"])
    with pytest.raises(InvalidInput):
        second_factor.remove(viewer, "wrong", address=None)
    second_factor.remove(viewer, PASSWORD, address=None)
    assert not is_on(people["anna"])
    assert run("SELECT count(*) FROM recovery_code WHERE account_id = :id", id=people["anna"]) == [(0,)]


def require(people: dict[str, int], *roles: Role) -> str:
    request = ActionRequest(key=uuid4(), address=None)
    return perform(
        factories.viewer(people["admin"]), request, sign_in_methods.require_for, roles=frozenset(roles)
    )


def test_a_role_that_must_have_one(people: dict[str, int]) -> None:
    assert factories.viewer(people["anna"]).may_enter
    assert require(people, Role.SPECIALIST) == "A second factor is required of: specialist."
    assert not factories.viewer(people["anna"]).may_enter
    assert factories.viewer(people["admin"]).may_enter
    enrolled(people["anna"])
    assert factories.viewer(people["anna"]).may_enter
    with pytest.raises(Conflict, match="Your role needs"):
        second_factor.remove(factories.viewer(people["anna"]), PASSWORD, address=None)
    require(people)
    second_factor.remove(factories.viewer(people["anna"]), PASSWORD, address=None)


def test_an_administrator_resets_a_lost_one(people: dict[str, int]) -> None:
    enrolled(people["anna"])
    admin = factories.viewer(people["admin"])
    with viewer_transaction(people["admin"]) as connection:
        done = sign_in_methods.reset_second_factor(connection, admin, people["anna"])
        assert done.sentence == "The second factor of anna was removed."
    assert not is_on(people["anna"])
    with (
        viewer_transaction(people["admin"]) as connection,
        pytest.raises(Conflict, match="has no second factor"),
    ):
        sign_in_methods.reset_second_factor(connection, admin, people["anna"])
