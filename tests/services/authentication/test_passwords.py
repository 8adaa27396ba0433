"""How passwords are kept and compared."""

import threading
import time
import unicodedata

import bcrypt
import pytest

from services.authentication import passwords
from services.errors import InvalidInput


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", 4)


def fits(password: str, stored: str | None) -> bool:
    """What the database decides: whether bcrypt makes the stored hash again, with the salt that stands in it."""
    made = passwords.computed(password, stored and stored[: passwords._SALT_CHARACTERS])
    return made == stored


@pytest.mark.parametrize(
    "password",
    [
        "demo-Portal-1",
        "пароль из слов",
        "x" * 72,
        "x" * 73,
        "ü" * 72,
        "a\0b\0cdefghij",
        "\ud800" * 12,
        "👩‍👩‍👧" * 20,
    ],
)
def test_a_password_fits_its_own_hash_and_no_other(password: str) -> None:
    stored = passwords.hash_password(password)
    assert fits(password, stored)
    assert not fits(password + "x", stored)
    assert not fits(password[:-1], stored)


def test_what_follows_the_72nd_byte_counts() -> None:
    assert not fits("x" * 72 + "b", passwords.hash_password("x" * 72 + "a"))


def test_hashes_of_other_tools_fit() -> None:
    assert fits("demo-Portal-1", bcrypt.hashpw(b"demo-Portal-1", bcrypt.gensalt(4)).decode())


def test_spaces_at_the_ends_and_ways_of_writing_do_not_count() -> None:
    stored = passwords.hash_password("  Müller 1234  ")
    assert fits(unicodedata.normalize("NFD", "Müller 1234"), stored)
    assert not fits("Muller 1234", stored)


def test_nobodys_hash_has_the_cost_of_real_ones_and_fits_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert passwords._NOBODYS_HASH.startswith(f"$2b${passwords.COST}$")
    assert passwords.computed("", None) == passwords.computed("demo-Portal-1", None) == ""


def test_ten_megabytes_are_refused_at_once() -> None:
    stored = passwords.hash_password("x" * 128)
    started = time.monotonic()
    assert not fits("x" * 10_000_000, stored)
    with pytest.raises(InvalidInput):
        passwords.hash_password("x" * 10_000_000)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    ("new", "repeated", "field"),
    [
        ("short", "short", "new"),
        ("  123456789  ", "  123456789  ", "new"),
        ("", "", "new"),
        ("aaaaaaaaaaaa", "aaaaaaaaaaaa", "new"),
        ("my-ANNA@team.example-1", "my-ANNA@team.example-1", "new"),
        ("x1-" * 43, "x1-" * 43, "new"),
        ("eleven 1234", "eleven 1234", "new"),
        ("Password1234", "Password1234", "new"),
        ("long enough 1", "long enough 2", "repeated"),
        ("long enough 1", "", "repeated"),
    ],
)
def test_unfit_new_passwords_are_refused_at_their_field(new: str, repeated: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        passwords.check_new_password(new, repeated, email="anna@team.example")
    assert refusal.value.field == field


def test_a_fit_new_password_passes() -> None:
    for password in ("long enough 1", "twelve chars", "x1-" * 42 + "ab"):
        passwords.check_new_password(password, f" {password} ", email="anna@team.example")


def test_few_are_hashed_at_once_and_the_queue_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_MOST_WAITING", 3)
    running, most, refused = [0], [0], []
    lock = threading.Lock()

    def hash_one() -> None:
        try:
            with passwords.hashing_turn():
                with lock:
                    running[0] += 1
                    most[0] = max(most[0], running[0])
                time.sleep(0.1)
                with lock:
                    running[0] -= 1
        except passwords.PasswordsBusy as busy:
            refused.append(str(busy))

    threads = [threading.Thread(target=hash_one) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == passwords.AT_ONCE
    assert len(refused) == 12 - passwords.AT_ONCE - 3
    assert set(refused) == {"Too many people are signing in right now. Please try again in a moment."}
    with passwords.hashing_turn():
        pass
