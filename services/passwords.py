"""How passwords are kept and compared, and what a new one must be like.

bcrypt reads 72 bytes and no more, so that longer passwords (and those with NUL bytes) are digested first; all others
go to bcrypt as they are, which is also what other tools write. Letters that can be written in two ways count as
one, and spaces at the ends do not count, because the sign-in form drops them.
"""

import base64
import hashlib
import secrets
import unicodedata
from functools import cache
from pathlib import Path

import bcrypt

from services.errors import InvalidInput

COST = 12
MINIMUM_LENGTH = 12
# Longer input is a mistake or an attack: it is not worth being digested.
MAXIMUM_LENGTH = 128
_BCRYPT_READS = 72

# No letters and digits that look alike: a one-time password is read from a screen and typed.
_LETTERS = "abcdefghjkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXYZ234679"

# A hash of the same cost that no password fits: what an unknown login is compared with.
_NOBODYS_HASH = "$2b$12$hgYjHy.4WbDX4AwDBTRNNuma.q2sITLWH6t21mm2j28DAxmWhc4pm"


def one_time_password() -> str:
    """16 characters, about 90 bits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(16))


def hash_password(password: str) -> str:
    """The form in which a password is stored. Raises `InvalidInput` for one that is too long to be meant."""
    material = _material(password)
    if material is None:
        raise InvalidInput(f"A password has at most {MAXIMUM_LENGTH} characters.", field="new")
    return bcrypt.hashpw(material, bcrypt.gensalt(COST)).decode()


def matches(password: str, password_hash: str | None) -> bool:
    """Whether the password fits the hash; without a hash, no, after the same time.

    Every call costs exactly one bcrypt, whatever was typed: the time of an answer tells nothing.
    """
    material = _material(password)
    try:
        fits = bcrypt.checkpw(material or b"", (password_hash or _NOBODYS_HASH).encode())
    except ValueError:  # a stored value that is no bcrypt hash, such as a blocked account's
        bcrypt.checkpw(material or b"", _NOBODYS_HASH.encode())
        return False
    return fits and material is not None and password_hash is not None


def check_new_password(new: str, repeated: str, *, email: str) -> None:
    """Raises `InvalidInput`, naming the field (`new` or `repeated`), for a password that may not be set."""
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
    """What bcrypt is given, or None for input of a length that no password has."""
    if len(password) > 2 * MAXIMUM_LENGTH:  # before any work is spent on it
        return None
    normal = _normal(password)
    if len(normal) > MAXIMUM_LENGTH:
        return None
    encoded = normal.encode("utf-8", "surrogatepass")
    if len(encoded) > _BCRYPT_READS or b"\0" in encoded:
        return base64.b64encode(hashlib.sha256(encoded).digest())
    return encoded
