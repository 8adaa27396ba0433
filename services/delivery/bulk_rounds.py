"""Runs over many orders as a source of work for the worker."""

import threading
from typing import Final

from services.bulk.working import work_due
from services.delivery.sources import Rest


class BulkSource:
    """Actions on many orders at once, begun by people. A new run wakes it."""

    table: Final = "bulk_run"

    def round(self, stop: threading.Event) -> Rest:
        work_due(stop)
        return Rest()

    def close(self) -> None:
        """Nothing is under way between two rounds."""
