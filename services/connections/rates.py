"""The limit of messages per minute and connection, counted by each process of the web server for itself."""

import math
import threading
import time
from typing import Final

_BURST_SECONDS: Final = 10.0
_MOST_CONNECTIONS: Final = 10_000


class RateLimit:
    """Token buckets by connection: each refills evenly and holds what ten seconds bring."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[int, tuple[float, float]] = {}

    def seconds_to_wait(self, connection_id: int, per_minute: int) -> int:
        """Take one token and return 0; without one, in how many seconds there will be one."""
        now, per_second = time.monotonic(), per_minute / 60
        most = max(1.0, per_second * _BURST_SECONDS)
        with self._lock:
            if len(self._buckets) >= _MOST_CONNECTIONS:
                self._buckets.clear()
            tokens, at = self._buckets.get(connection_id, (most, now))
            tokens = min(most, tokens + (now - at) * per_second)
            allowed = tokens >= 1
            self._buckets[connection_id] = (tokens - 1 if allowed else tokens, now)
        return 0 if allowed else math.ceil((1 - tokens) / per_second)


class Throttle:
    """Whether something that is done for a connection is due: at most once in so many seconds, in this process."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last: dict[int, float] = {}

    def is_due(self, connection_id: int) -> bool:
        now = time.monotonic()
        if now - self._last.get(connection_id, -math.inf) < self._seconds:
            return False
        if len(self._last) >= _MOST_CONNECTIONS:
            self._last.clear()
        self._last[connection_id] = now
        return True
