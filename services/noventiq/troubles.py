"""Connections whose API is unavailable at the moment: their messages wait without being tried one by one.

Each attempt at an API that does not answer takes seconds, and all stores share the worker; many logins with a wrong
password may lock an account. Kept in the memory of the process and by credentials, as tokens are: with a new password
the API is asked at once.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

_FIRST_PAUSE: Final = 10.0
_LONGEST_PAUSE: Final = 300.0


class Troubles:
    """Pauses by the key of credentials, each twice as long as the one before, until an answer comes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        # By key: the end of its pause, and how long that was.
        self._pauses: dict[str, tuple[float, float]] = {}

    def seconds_left(self, key: str) -> float:
        """For how long the API is left alone; 0 when it can be asked."""
        with self._lock:
            until, _ = self._pauses.get(key, (0.0, 0.0))
        return max(0.0, until - self._clock())

    def note(self, key: str) -> float:
        """Begin a pause, since no answer of use came; how many seconds it lasts."""
        with self._lock:
            _, last = self._pauses.get(key, (0.0, 0.0))
            pause = min(max(_FIRST_PAUSE, 2 * last), _LONGEST_PAUSE)
            self._pauses[key] = (self._clock() + pause, pause)
        return pause

    def clear(self, key: str) -> None:
        """Note that an answer came."""
        with self._lock:
            self._pauses.pop(key, None)
