"""What was begun before a change of the credentials opens nothing after it."""

import time
from collections.abc import Callable

import pyotp
import pytest

from db.connections.viewers import SignedIn
from services.access import Role
from services.accounts import profile
from services.accounts.administration import (
    Grants,
    change_account,
    disable_account,
    enable_account,
    reset_password,
    unlock_account,
)
from services.accounts.sign_in_methods import reset_second_factor
from services.authentication import password_reset, second_factor, sessions
from services.authentication.sessions import CheckedAccount, check_password
from services.errors import Conflict, InvalidInput, SupportError
from tests.services.authentication.attacks.steps import HERE, LOGIN, PASSWORD, SECRET
from tests.support import factories
from tests.support.factories import act, run

CHANGES: dict[str, Callable[[dict[str, SignedIn]], object]] = {
    "password changed": lambda people: profile.change_own_password(
        factories.viewer(people["anna"]), new="another horse 8", repeated="another horse 8", current=PASSWORD,
        address=HERE,
    ),
    "password reset": lambda people: act(people["admin"], reset_password, int(people["anna"])),
    "role changed": lambda people: act(
        people["admin"], change_account, int(people["anna"]), name="anna", grants=Grants(Role.ANALYST)
    ),
    "disabled": lambda people: act(people["admin"], disable_account, int(people["anna"])),
    "disabled and enabled": lambda people: (
        act(people["admin"], disable_account, int(people["anna"])),
        act(people["admin"], enable_account, int(people["anna"])),
    ),
    "second factor removed": lambda people: act(people["admin"], reset_second_factor, int(people["anna"])),
    "e-mail changed": lambda people: run(
        "UPDATE account SET email = 'anna@Test.example' WHERE id = :id", id=people["anna"]
    ),
    "unlocked": lambda people: (
        run("UPDATE account SET locked_until = now() + interval '1 minute' WHERE id = :id", id=people["anna"]),
        act(people["admin"], unlock_account, int(people["anna"])),
    ),
}  # fmt: skip


def with_factor(people: dict[str, SignedIn]) -> None:
    run(
        "UPDATE account SET totp_secret = :secret, totp_last_step = NULL WHERE id = :id",
        secret=SECRET, id=people["anna"],
    )  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_sign_in_that_waits_for_its_code_is_worthless_after(
    change: str, people: dict[str, SignedIn]
) -> None:
    with_factor(people)
    waiting, entered = check_password(LOGIN, PASSWORD, address=None), factories.attempt(people["anna"])
    assert waiting is not None and second_factor.is_asked_after(waiting.attempt)
    assert second_factor.check(entered, pyotp.TOTP(SECRET).at(int(time.time()) - 30), address=None), (
        "the control"
    )
    CHANGES[change](people)
    assert not second_factor.check(waiting.attempt, pyotp.TOTP(SECRET).now(), address=None)
    for begun in (waiting.attempt, entered):
        assert sessions.open_session(CheckedAccount(people["anna"], begun), address=None) is None


@pytest.mark.parametrize("change", [change for change in CHANGES if change != "second factor removed"])
def test_a_password_that_was_just_right_opens_nothing_after(change: str, people: dict[str, SignedIn]) -> None:
    checked = check_password(LOGIN, PASSWORD, address=None)
    assert checked is not None
    CHANGES[change](people)
    assert sessions.open_session(checked, address=None) is None


def test_the_control_without_a_change_they_let_in(people: dict[str, SignedIn]) -> None:
    with_factor(people)
    checked = check_password(LOGIN, PASSWORD, address=None)
    assert checked is not None
    assert sessions.open_session(checked, address=None) is None, "not without the code"
    assert second_factor.check(checked.attempt, pyotp.TOTP(SECRET).now(), address=None)
    assert sessions.open_session(checked, address=None) is not None
    assert sessions.open_session(checked, address=None) is None, "once"


@pytest.mark.parametrize("change", CHANGES)
def test_links_end_with_every_change(change: str, people: dict[str, SignedIn]) -> None:
    with_factor(people)
    password_reset.request_link(LOGIN, address=HERE)
    [[body]] = run("SELECT text_body FROM mail WHERE kind = 'password'")
    link = body.split("?reset=")[1].split()[0]
    assert password_reset.is_usable(link)
    CHANGES[change](people)
    assert not password_reset.is_usable(link)
    with pytest.raises(password_reset.LinkUnusable):
        password_reset.set_password(link, new="my own now 123", repeated="my own now 123", address=None)


@pytest.mark.parametrize("change", ["password changed", "password reset"])
def test_an_enrolment_is_worthless_after(change: str, people: dict[str, SignedIn]) -> None:
    viewer = factories.viewer(people["anna"])
    enrolment = second_factor.begin(viewer)
    CHANGES[change](people)
    with pytest.raises(SupportError):
        second_factor.confirm(
            viewer, enrolment, pyotp.TOTP(enrolment.secret).now(), password="another horse 8", address=HERE
        )
    assert run("SELECT has_second_factor FROM account WHERE id = :id", id=people["anna"]) == [(False,)]


def test_an_enrolment_of_two_tabs_counts_once(people: dict[str, SignedIn]) -> None:
    viewer = factories.viewer(people["anna"])
    first, second = second_factor.begin(viewer), second_factor.begin(viewer)
    second_factor.confirm(viewer, first, pyotp.TOTP(first.secret).now(), password=PASSWORD, address=HERE)
    with pytest.raises(Conflict, match="begin again"):
        second_factor.confirm(
            viewer, second, pyotp.TOTP(second.secret).now(), password=PASSWORD, address=HERE
        )


def test_switching_a_factor_on_needs_the_password(people: dict[str, SignedIn]) -> None:
    viewer = factories.viewer(people["anna"])
    enrolment = second_factor.begin(viewer)
    for password in ("wrong", "", None):
        with pytest.raises(InvalidInput) as refusal:
            second_factor.confirm(
                viewer, enrolment, pyotp.TOTP(enrolment.secret).now(), password=password, address=HERE
            )
        assert refusal.value.field == "password"
    assert run("SELECT has_second_factor FROM account WHERE id = :id", id=people["anna"]) == [(False,)]
    # Who came through a provider may have none: they must have done so a moment ago.
    run("UPDATE account_session SET single_sign_on = true, created_at = now() - interval '11 minutes', "
        "expires_at = now() + interval '1 hour' WHERE account_id = :id", id=people["anna"])  # fmt: skip
    with pytest.raises(InvalidInput, match="sign in again"):
        second_factor.confirm(
            viewer, enrolment, pyotp.TOTP(enrolment.secret).now(), password=None, address=HERE
        )
    run("UPDATE account_session SET created_at = now() WHERE account_id = :id", id=people["anna"])
    second_factor.confirm(viewer, enrolment, pyotp.TOTP(enrolment.secret).now(), password=None, address=HERE)
    run("UPDATE account_session SET single_sign_on = false WHERE account_id = :id", id=people["anna"])


def test_a_session_of_before_a_reset_sets_no_password(people: dict[str, SignedIn]) -> None:
    """Somebody who came with the old one-time password and left the form for a new one open."""
    run("UPDATE account SET must_change_password = true WHERE id = :id", id=people["anna"])
    viewer = factories.viewer(people["anna"])
    assert viewer.must_change_password
    act(people["admin"], reset_password, int(people["anna"]))
    before = run("SELECT password_hash FROM account WHERE id = :id", id=people["anna"])
    with pytest.raises(SupportError):
        profile.change_own_password(
            viewer, new="my own now 123", repeated="my own now 123", current=None, address=HERE
        )
    assert run("SELECT password_hash FROM account WHERE id = :id", id=people["anna"]) == before
