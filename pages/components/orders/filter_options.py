"""What the search form offers to choose from, read again after ten minutes."""

import time
from typing import Final

from db.connections.engine import app_engine
from db.connections.replica import read
from services.access import Viewer
from services.orders.filter_values import FilterValues, filter_values

_SECONDS: Final = 600.0
_MOST: Final = 500
# By database and stores: (when it was read, what was read).
_read: dict[tuple[str, frozenset[int]], tuple[float, FilterValues]] = {}


def filter_options(viewer: Viewer) -> FilterValues:
    """The values of the viewer's stores. A run of the form seldom costs a statement: what is new can be typed."""
    key = (str(app_engine().url), frozenset(viewer.store_ids))
    before = _read.get(key)
    if before is not None and time.monotonic() - before[0] < _SECONDS:
        return before[1]
    values = read(viewer.account_id, viewer.store_ids, lambda connection: filter_values(connection, viewer))
    if len(_read) >= _MOST:
        _read.clear()
    _read[key] = (time.monotonic(), values)
    return values
