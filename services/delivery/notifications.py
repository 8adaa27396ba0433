"""PostgreSQL's notifications: new work wakes the worker at once. Should they fail, the worker looks by itself."""

import logging
import threading
from typing import Final

import psycopg

from db.connections.engine import owner_url
from db.connections.roles import libpq_url
from services.delivery.sources import Turns, next_pause

log = logging.getLogger("esupport.worker")

CHANNEL: Final = "esupport_work"
_PATIENCE_SECONDS: Final = 1.0
_LONGEST_PAUSE: Final = 30.0


def listen(turns: Turns) -> None:
    """Wake the sources whose tables have new rows until `turns` stops; on a connection of its own, made anew when lost.

    The notifications come from the triggers that call `wake_worker()`; each names its table.
    """
    pause = 0.0
    while not turns.stop.wait(pause):
        try:
            with psycopg.connect(libpq_url(owner_url()), autocommit=True) as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                pause = 0.0
                turns.wake_all()  # for what came while nobody listened
                while not turns.stop.is_set():
                    for notification in connection.notifies(timeout=_PATIENCE_SECONDS):
                        turns.wake(notification.payload)
        except psycopg.Error as error:
            log.warning("Notifications are not received; the worker looks by itself. %s", error)
            pause = next_pause(pause, 1.0, _LONGEST_PAUSE)


def start_listening(turns: Turns) -> None:
    """Listen in a thread that does not keep the process alive."""
    threading.Thread(target=listen, args=(turns,), name="notifications", daemon=True).start()
