"""Tokens of Noventiq's API, kept in the memory of this process: one per connection and its credentials."""

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

# A token is valid for 24 hours; it is renewed an hour before.
LIFETIME_SECONDS: Final = 23 * 3600.0
_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where the API is and who we are there. `connection_id` keeps the tokens of two connections apart."""

    connection_id: int
    base_url: str
    username: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials of connection {self.connection_id}"

    @property
    def key(self) -> str:
        """A name for these credentials that does not tell them."""
        parts = (str(self.connection_id), self.base_url, self.username, self.password)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


class Tokens:
    """Tokens by credentials. Threads that need the same one at once may each fetch one; the vendor allows that."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[str, tuple[str, float]] = {}

    def find(self, credentials: Credentials) -> str | None:
        """The token, unless it is about to expire."""
        with self._lock:
            token, until = self._tokens.get(credentials.key, ("", 0.0))
        return token if token and self._clock() < until else None

    def put(self, credentials: Credentials, token: str) -> None:
        with self._lock:
            if len(self._tokens) >= _MOST:
                self._tokens.clear()
            self._tokens[credentials.key] = (token, self._clock() + LIFETIME_SECONDS)

    def drop(self, credentials: Credentials, token: str) -> None:
        """Forget a token that was refused, unless another thread has put a newer one there."""
        with self._lock:
            if self._tokens.get(credentials.key, ("", 0.0))[0] == token:
                del self._tokens[credentials.key]
