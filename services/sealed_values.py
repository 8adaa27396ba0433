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
    """The key that what Streamlit signs is derived from, in hexadecimal: 48 bytes, the same for every process at this
    database."""
    with anonymous_transaction() as connection:
        return bytes(connection.execute(sql("SELECT cookie_key()")).scalar_one()).hex()


def web_server_secret() -> str:
    """What Streamlit signs its own cookies with: the same at every process."""
    return hmac.new(bytes.fromhex(cookie_key()), b"web server", hashlib.sha256).hexdigest()


def seal(value: Mapping[str, object], *, purpose: str) -> str:
    """The value as letters that fit into an address; every process at this database opens them."""
    return _cipher(purpose).encrypt(json.dumps(value).encode()).decode()


# Any: JSON of the sealer's own, which knows what it put there.
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
