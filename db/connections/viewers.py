"""The viewer as the database knows it: an account, proved by the secret of one of its sessions."""

import hashlib
import secrets
from typing import Self

from sqlalchemy import Connection, text


class SignedIn(int):
    """An account's id, with the token of the session by which it is signed in.

    It is an id everywhere; `db.connections.engine.viewer_transaction` alone looks at the token, since an id
    proves nothing.
    """

    token: str

    def __new__(cls, account_id: int, token: str) -> Self:
        made = super().__new__(cls, account_id)
        made.token = token
        return made

    def __getnewargs__(self) -> tuple[int, str]:  # type: ignore[override]
        return int(self), self.token


def digest(token: str) -> bytes:
    """The form in which a token is stored, and the name of its session."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def is_token(token: str) -> bool:
    """Whether the database can be asked for it: what is none is sent by attackers alone."""
    return 0 < len(token) <= 200 and token.isascii() and token.isprintable()


def sign_in_without_password(connection: Connection, account_id: int) -> SignedIn:
    """A session for tests and benchmarks, in a transaction of the jobs' role, which needs no password for it."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        text(
            "INSERT INTO account_session (token_digest, account_id, expires_at) "
            "VALUES (:digest, :account, now() + interval '12 hours')"
        ),
        {"digest": digest(token), "account": account_id},
    )
    return SignedIn(account_id, token)
