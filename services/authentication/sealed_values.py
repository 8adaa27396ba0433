"""Values that a browser carries for us and can neither read nor change."""

import base64
import hashlib
import hmac
import json
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken

from services.authentication.sessions import cookie_key
from services.errors import NotFound

_LONGEST: Final = 8_000


def seal(value: dict[str, Any], *, purpose: str) -> str:
    """The value as letters that fit into an address; every process at this database opens them."""
    return _cipher(purpose).encrypt(json.dumps(value).encode()).decode()


def unseal(text: str, *, purpose: str, seconds: int) -> dict[str, Any]:
    """What was sealed for this purpose at most so long ago; raises `NotFound` for anything else."""
    if len(text) > _LONGEST or not text.isascii():
        raise NotFound
    try:
        value: dict[str, Any] = json.loads(_cipher(purpose).decrypt(text.encode(), ttl=seconds))
    except InvalidToken as error:
        raise NotFound from error
    return value


def _cipher(purpose: str) -> Fernet:
    key = hmac.new(bytes.fromhex(cookie_key()), purpose.encode(), hashlib.sha256).digest()
    return Fernet(base64.urlsafe_b64encode(key))
