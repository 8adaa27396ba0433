"""Secrets derived from the database's key: values that a browser carries sealed, and Streamlit's own cookies."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import text as sql

from db.connections.engine import anonymous_transaction
from services.errors import NotFound

_LONGEST: Final = 8_000


def cookie_key() -> str:
    """The key from which Streamlit's signing key is derived, in hexadecimal: 48 bytes, the same for every process at
    this database.
    """
    with anonymous_transaction() as connection:
        return bytes(connection.execute(sql("SELECT cookie_key()")).scalar_one()).hex()


def web_server_secret() -> str:
    """The key with which Streamlit signs its own cookies, the same in every process."""
    return hmac.new(bytes.fromhex(cookie_key()), b"web server", hashlib.sha256).hexdigest()


def seal(value: Mapping[str, object], *, purpose: str) -> str:
    """Seal the value as text that fits into an address; every process at this database can unseal it."""
    return _cipher(purpose).encrypt(json.dumps(value).encode()).decode()


# Any: JSON of the sealer's own, which knows what it put there.
def unseal(text: str, *, purpose: str, seconds: int) -> dict[str, Any]:
    """The value that was sealed for this purpose at most `seconds` ago; raises `NotFound` for anything else."""
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
