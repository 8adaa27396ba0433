"""The position in the primary's write-ahead log that a replica must have reached, for this process.

A place is the 64-bit number that PostgreSQL writes as `16/B374D848`.
"""

import threading
import time
from collections import deque
from typing import Final

from sqlalchemy import Connection, text

NEVER: Final = 2**64 - 1  # no replica gets there: until the account's next change it is read on the primary
# A replica that is further behind than this is not read, whatever the reason. It is measured by places that the primary
# is known to have passed: a replica's own clock cannot tell a quiet primary from one that it no longer hears.
OLDEST_SECONDS = 40.0
SAMPLE_SECONDS = 10.0

# After a commit: what is flushed has the commit's record in it, unless a commit does not wait for that. Reading inserts
# records as well (hint bits, pruning), which may lie about for a while before they are sent to anybody.
_CURRENT = text(
    "SELECT CASE current_setting('synchronous_commit') WHEN 'off' THEN pg_current_wal_insert_lsn() "
    "ELSE pg_current_wal_flush_lsn() END"
)

_lock = threading.Lock()
_of_account: dict[int, int] = {}
_samples: deque[tuple[float, int]] = deque()


def current(connection: Connection) -> int:
    """Where the primary is now."""
    return parse(str(connection.execute(_CURRENT).scalar_one()))


def remember(account_id: int, position: int) -> None:
    """This account has changed something by that place."""
    with _lock:
        _of_account[account_id] = position


def forget(account_id: int, position: int) -> None:
    """The replica has been seen beyond that place; a later change stays remembered."""
    with _lock:
        if _of_account.get(account_id, NEVER) <= position:
            del _of_account[account_id]


def forget_all() -> None:
    """As if the process had just begun."""
    with _lock:
        _of_account.clear()
        _samples.clear()


def needs_sample() -> bool:
    """Whether the primary's place is to be asked anew."""
    with _lock:
        return not _samples or time.monotonic() - _samples[-1][0] >= SAMPLE_SECONDS


def sample(position: int) -> None:
    with _lock:
        _samples.append((time.monotonic(), position))


def required(account_id: int) -> int:
    """The position that the replica must have replayed to be read by this account.

    It covers the account's own changes, and all that is older than `OLDEST_SECONDS`. A process that has not looked for
    longer begins with the primary's present position.
    """
    oldest = time.monotonic() - OLDEST_SECONDS
    with _lock:
        while len(_samples) > 1 and _samples[0][0] < oldest:
            _samples.popleft()
        return max(_of_account.get(account_id, 0), _samples[0][1] if _samples else 0)


def parse(written: str) -> int:
    high, low = written.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def written(position: int) -> str:
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"
