"""Signing in under attack: guesses in parallel, from everywhere, at every account."""

import threading
import time
from datetime import timedelta

import pyotp
import pytest

from db.connections.viewers import SignedIn
from services.accounts.administration import unlock_account
from services.authentication import password_reset, passwords, second_factor, sessions
from services.authentication.sessions import TooManyAttempts, check_password
from services.entrypoints import account_commands
from services.errors import InvalidInput, SupportError
from tests.services.authentication.attacks.steps import (
    ELSEWHERE,
    HERE,
    LOGIN,
    PASSWORD,
    SECRET,
    begin,
    finish,
    guess,
    signs_in,
)
from tests.support import factories
from tests.support.factories import act, run


def test_five_are_under_way_and_the_sixth_waits_for_them(people: dict[str, SignedIn]) -> None:
    under_way = [begin(network=f"n{n}") for n in range(5)]
    assert [attempt.answer for attempt in under_way] == ["go"] * 5
    assert begin(network="another").answer == "wait"
    assert begin(login="boris@test.example", network="another").answer == "go", (
        "another account is not concerned"
    )
    assert finish(under_way[0], PASSWORD) == people["anna"], "what is right counts for nothing"
    sixth = begin(network="another")
    assert sixth.answer == "go"
    assert [finish(attempt, "wrong") for attempt in under_way[1:]] == [None] * 4
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
    ("address", "other", "same"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("127.0.0.1", None, True),
        ("::1", "not an address", True),
        ("192.0.2.7", "192.0.2.8", False),
    ],
)
def test_what_one_network_is(address: str | None, other: str | None, same: bool) -> None:
    from services.authentication.networks import network_of

    assert (network_of(address) == network_of(other)) is same


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
