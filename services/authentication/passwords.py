"""Storage and comparison of passwords, and the rules for a new one.

bcrypt reads only 72 bytes, so longer passwords (and those with NUL bytes) are digested first; all others go to bcrypt
unchanged, as they do in other tools. Letters that can be written in two ways count as one, and spaces at the ends do
not count, because the sign-in form drops them.
"""

import base64
import hashlib
import os
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

import bcrypt

from services.errors import Conflict, InvalidInput

COST = 12
MINIMUM_LENGTH = 12
# Longer input is a mistake or an attack and is not digested at all.
MAXIMUM_LENGTH = 128
_BCRYPT_READS = 72

# No letters and digits that look alike: a one-time password is read from a screen and typed.
_LETTERS = "abcdefghjkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXYZ234679"

# A hash of the same cost that no password matches: an unknown login is compared with it.
_NOBODYS_HASH = "$2b$12$hgYjHy.4WbDX4AwDBTRNNuma.q2sITLWH6t21mm2j28DAxmWhc4pm"
_SALT_CHARACTERS: Final = 29  # of a hash: the method, the cost, and 128 bits

# bcrypt frees the interpreter but not the processor: half of the cores remain for people who are signed in already.
AT_ONCE: Final = max(1, (os.cpu_count() or 2) // 2)
_MOST_WAITING: Final = 60
_LONGEST_WAIT_SECONDS: Final = 20.0
_turn = threading.Condition()
_working = _waiting = 0


class PasswordsBusy(Conflict):
    message = "Too many people are signing in right now. Please try again in a moment."


@contextmanager
def hashing_turn() -> Iterator[None]:
    """Wait for a turn to hash a password: a process hashes few at once, and its queue has a limit.

    Raises `PasswordsBusy`.
    """
    global _working, _waiting
    with _turn:
        if _waiting >= _MOST_WAITING:
            raise PasswordsBusy
        _waiting += 1
        try:
            if not _turn.wait_for(lambda: _working < AT_ONCE, _LONGEST_WAIT_SECONDS):
                raise PasswordsBusy
            _working += 1
        finally:
            _waiting -= 1
    try:
        yield
    finally:
        with _turn:
            _working -= 1
            _turn.notify()


def one_time_password() -> str:
    """A one-time password of 16 characters, about 90 bits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(16))


def hash_password(password: str) -> str:
    """The form in which a password is stored. Raises `InvalidInput` for one that is too long to be meant, and
    `PasswordsBusy`."""
    material = _material(password)
    if material is None:
        raise InvalidInput(f"A password has at most {MAXIMUM_LENGTH} characters.", field="new")
    with hashing_turn():
        return bcrypt.hashpw(material, bcrypt.gensalt(COST)).decode()


def computed(password: str, salt: str | None) -> str:
    """The hash of the password with this salt, for the database to compare; without a salt, one that matches nobody's.

    Every call costs exactly one bcrypt, whatever was typed, so that the response time reveals nothing. The caller holds
    a `hashing_turn`.
    """
    material = _material(password)
    made = bcrypt.hashpw(material or b"", (salt or _NOBODYS_HASH[:_SALT_CHARACTERS]).encode()).decode()
    return made if salt is not None and material is not None else ""


def check_new_password(new: str, repeated: str, *, email: str) -> None:
    """Raise `InvalidInput`, with its field (`new` or `repeated`), for a password that may not be set."""
    stripped = _normal(new)
    if len(stripped) < MINIMUM_LENGTH:
        raise InvalidInput(f"Use at least {MINIMUM_LENGTH} characters.", field="new")
    if len(stripped) > MAXIMUM_LENGTH:
        raise InvalidInput(f"Use at most {MAXIMUM_LENGTH} characters.", field="new")
    if email.casefold() in stripped.casefold():
        raise InvalidInput("Your email must not be part of the password.", field="new")
    if stripped.casefold() in _common() or len(set(stripped)) < 3:
        raise InvalidInput(
            "This is one of the passwords that are guessed first. Choose another.", field="new"
        )
    if stripped != _normal(repeated):
        raise InvalidInput("The two passwords are not the same.", field="repeated")


@cache
def _common() -> frozenset[str]:
    lines = (Path(__file__).parent / "common_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line.casefold() for line in lines if not line.startswith("#"))


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password).strip()


def _material(password: str) -> bytes | None:
    """The bytes for bcrypt, or None for input of a length that no password has."""
    if len(password) > 2 * MAXIMUM_LENGTH:  # before any work is spent on it
        return None
    normal = _normal(password)
    if len(normal) > MAXIMUM_LENGTH:
        return None
    encoded = normal.encode("utf-8", "surrogatepass")
    if len(encoded) > _BCRYPT_READS or b"\0" in encoded:
        return base64.b64encode(hashlib.sha256(encoded).digest())
    return encoded
