"""Signing in under attack: guesses in parallel, from everywhere, at everybody, and what was begun before a change."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import text

from db.connections.engine import anonymous_transaction
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
from services.authentication import password_reset, passwords, second_factor, sessions
from services.authentication.sessions import CheckedAccount, TooManyAttempts, check_password
from services.entrypoints import account_commands
from services.errors import Conflict, InvalidInput, SupportError
from tests.support import factories
from tests.support.factories import act, run

PASSWORD = "correct horse 7"
LOGIN = "anna@test.example"
SECRET = "A" * 32
HERE, ELSEWHERE = "192.0.2.7", "198.51.100.9"


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, SignedIn]:
    names = {"admin": "administrator"} | dict.fromkeys(("anna", "boris", "carla", "rita"), "specialist")
    return {name: factories.account(name, role=role) for name, role in names.items()}


@pytest.fixture(autouse=True)
def fresh(people: dict[str, SignedIn], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(passwords, "COST", 4)
    run(
        "UPDATE account SET failed_sign_ins = 0, locked_until = NULL, disabled_at = NULL, totp_secret = NULL, "
        "email = name || '@test.example', "
        "must_change_password = false, one_time_until = NULL, role = CASE name WHEN 'admin' THEN 'administrator' "
        "ELSE 'specialist' END, password_hash = :hash",
        hash=passwords.hash_password(PASSWORD),
    )
    run("UPDATE account_session SET ended_at = NULL, ended_because = NULL")
    for table in ("sign_in_attempt", "known_device", "password_reset", "mail"):
        run(f"DELETE FROM {table}")
    yield


def begin(login: str = LOGIN, network: str = "n", device: bytes | None = None) -> Any:
    with anonymous_transaction() as connection:
        return connection.execute(
            text("SELECT attempt, answer, salt FROM begin_attempt(:login, :network, :device)"),
            {"login": login, "network": network, "device": device},
        ).one()


def finish(begun: Any, password: str) -> int | None:
    computed = passwords.computed(password, begun.salt)
    with anonymous_transaction() as connection:
        found: int | None = connection.execute(
            text("SELECT finish_attempt(:attempt, :computed, NULL)"),
            {"attempt": begun.attempt, "computed": computed},
        ).scalar_one()
        return found


def guess(times: int, *, login: str = LOGIN, address: str | None = ELSEWHERE) -> None:
    for _ in range(times):
        assert check_password(login, "wrong", address=address) is None


def signs_in(address: str | None, device: str | None = None, login: str = LOGIN) -> bool:
    checked = check_password(login, PASSWORD, address=address, device=device)
    return checked is not None and bool(sessions.open_session(checked, address=address, device=device))


# --- Guesses.


def test_five_are_under_way_and_the_sixth_waits_for_them(people: dict[str, SignedIn]) -> None:
    under_way = [begin(network=f"n{n}") for n in range(5)]
    assert [one.answer for one in under_way] == ["go"] * 5
    assert begin(network="another").answer == "wait"
    assert begin(login="boris@test.example", network="another").answer == "go", (
        "another account is not concerned"
    )
    assert finish(under_way[0], PASSWORD) == people["anna"], "what is right counts for nothing"
    sixth = begin(network="another")
    assert sixth.answer == "go"
    assert [finish(one, "wrong") for one in under_way[1:]] == [None] * 4
    assert finish(sixth, "wrong") is None
    assert run("SELECT failed_sign_ins FROM account WHERE id = :id", id=people["anna"]) == [(5,)]
    late = begin(network="another")
    assert finish(late, PASSWORD) is None, "locked"


def test_guesses_in_parallel_do_not_exceed_five(
    people: dict[str, SignedIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many processes as there are guesses, none waiting for another; the twentieth password is the right one."""
    monkeypatch.setattr(passwords, "AT_ONCE", 20)
    monkeypatch.setattr(sessions, "_LONGEST_WAIT_SECONDS", 0.5)
    barrier, opened = threading.Barrier(20), []

    def attack(number: int) -> None:
        barrier.wait()
        if number == 19:
            time.sleep(0.4)
        try:
            opened.append(
                check_password(LOGIN, PASSWORD if number == 19 else "wrong", address=f"203.0.113.{number}")
            )
        except SupportError:
            opened.append(None)

    threads = [threading.Thread(target=attack, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened == [None] * 20
    [[failures, locked]] = run(
        "SELECT failed_sign_ins, locked_until > now() FROM account WHERE id = :id", id=people["anna"]
    )
    assert (failures, locked) == (5, True)


def test_an_attempt_that_nobody_finished_is_a_failure(people: dict[str, SignedIn]) -> None:
    for number in range(5):
        begin(network=f"n{number}")
    run("UPDATE sign_in_attempt SET begun_at = now() - interval '2 minutes'")
    assert not signs_in(HERE)
    assert run("SELECT locked_until > now() FROM account WHERE id = :id", id=people["anna"]) == [(True,)]


def test_guesses_of_one_network_lock_few_and_it_gets_on_after_a_pause(people: dict[str, SignedIn]) -> None:
    refused = 0
    for name in people:
        for _ in range(5):
            try:
                guess(1, login=f"{name}@test.example")
            except TooManyAttempts:
                refused += 1
    assert refused == 10
    locked = run("SELECT name FROM account WHERE locked_until > now()")
    assert len(locked) == 3, "fifteen of twenty-five guesses were looked at"
    free = sorted(set(people) - {row.name for row in locked})
    assert signs_in(HERE, login=f"{free[0]}@test.example"), "from elsewhere nothing is to be felt"
    with pytest.raises(TooManyAttempts):
        signs_in(ELSEWHERE, login=f"{free[1]}@test.example")
    run("UPDATE sign_in_attempt SET begun_at = begun_at - interval '6 seconds'")
    assert signs_in(ELSEWHERE, login=f"{free[1]}@test.example")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("127.0.0.1", None, True),
        ("::1", "not an address", True),
        ("192.0.2.7", "192.0.2.8", False),
    ],
)
def test_what_one_network_is(one: str | None, other: str | None, same: bool) -> None:
    from services.authentication.networks import network_of

    assert (network_of(one) == network_of(other)) is same


@pytest.mark.parametrize("known_by", ["browser", "network"])
def test_strangers_do_not_lock_an_administrator_out(people: dict[str, SignedIn], known_by: str) -> None:
    login, device = "admin@test.example", sessions.new_device()
    assert signs_in(HERE, device, login)
    back = {"browser": ("203.0.113.50", device), "network": (HERE, None)}[known_by]
    for _ in range(3):
        guess(5, login=login)
        run("UPDATE sign_in_attempt SET begun_at = begun_at - interval '20 minutes'")
        run("UPDATE account SET locked_until = now() - interval '1 second' WHERE locked_until > now()")
    guess(5, login=login)
    assert signs_in(*back, login)
    assert not signs_in("203.0.113.51", sessions.new_device(), login), "the lock stands for everybody else"
    assert not signs_in(ELSEWHERE, None, login)


def test_a_known_browser_has_five_of_its_own(people: dict[str, SignedIn]) -> None:
    device = sessions.new_device()
    assert signs_in(None, device)
    for _ in range(5):
        assert check_password(LOGIN, "wrong", address=None, device=device) is None
    assert not signs_in(None, device)
    assert not signs_in(HERE), "five wrong passwords lock the account, wherever they come from"
    left = run("SELECT locked_until - now() FROM account WHERE id = :id", id=people["anna"])[0][0]
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)
    act(people["admin"], unlock_account, int(people["anna"]))
    assert signs_in(None, device)


def test_a_cookie_of_another_account_helps_nobody(people: dict[str, SignedIn]) -> None:
    device = sessions.new_device()
    assert signs_in(None, device, "boris@test.example")
    guess(5)
    assert not signs_in(None, device)


def test_an_owner_at_the_command_line_ends_a_lock(
    people: dict[str, SignedIn], capsys: pytest.CaptureFixture[str]
) -> None:
    guess(5, login="admin@test.example")
    assert account_commands.unlock(" ADMIN@test.example".strip()) == "ADMIN@test.example can sign in again."
    assert signs_in(HERE, login="admin@test.example")
    with pytest.raises(InvalidInput):
        account_commands.unlock("nobody@test.example")


def test_codes_in_parallel_do_not_exceed_five(people: dict[str, SignedIn]) -> None:
    run("UPDATE account SET totp_secret = :secret WHERE id = :id", secret=SECRET, id=people["anna"])
    attempt = factories.attempt(people["anna"])
    barrier, answers = threading.Barrier(12), []

    def attack() -> None:
        barrier.wait()
        answers.append(second_factor.check(attempt, "000000", address=None))

    threads = [threading.Thread(target=attack) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [False] * 12
    assert run("SELECT count(*) FROM sign_in_attempt WHERE kind = 'code'") == [(5,)]
    assert not second_factor.check(attempt, pyotp.TOTP(SECRET).now(), address=None), "locked"


def test_links_are_asked_for_ten_times_an_hour_from_one_network(people: dict[str, SignedIn]) -> None:
    for number in range(10):
        password_reset.request_link(f"nobody-{number}@test.example", address=ELSEWHERE)
    with pytest.raises(TooManyAttempts):
        password_reset.request_link(LOGIN, address=ELSEWHERE)
    password_reset.request_link(LOGIN, address=HERE)
    assert run("SELECT to_address FROM mail") == [(LOGIN,)]


# --- What was begun before a change.

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
