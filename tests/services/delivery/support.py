"""Events on their way out, for the tests of deliveries."""

from collections import Counter
from typing import Any, Final
from uuid import UUID

from db.connections.engine import jobs_transaction
from db.schema.connection_states import Purpose
from services.connections.secrets import add_secret, new_secret
from services.events.event_types import EventType
from services.events.outbox import Subject, publish
from tests.support.connected import connect
from tests.support.factories import document, run, take_in

SECRET: Final = new_secret()


def connected_shop(url: str, store: str = "shop-a", **options: Any) -> int:
    """A connection that events go out by, signed with `SECRET`; its ID."""
    connection_id = connect(store, out_url=url, **options)
    with jobs_transaction() as connection:
        add_secret(connection, connection_id, Purpose.OUT, SECRET)
    return connection_id


def happen(
    *order_ids: int,
    event: EventType = EventType.REFUND_REQUESTED,
    store: str = "shop-a",
    rolled_back: list[UUID] | None = None,
    **data: Any,
) -> list[UUID]:
    """An event of each order, in one transaction; their IDs. Orders that do not exist are imported.

    With `rolled_back`, the transaction comes to nothing, and the IDs are added there.
    """
    known = {row.order_id: row for row in run("SELECT order_id, order_name, checkout_page_id FROM orders")}
    if missing := sorted(set(order_ids) - known.keys()):
        take_in(*(document(order_id=order_id, checkout_page=store) for order_id in missing))
        return happen(*order_ids, event=event, store=store, rolled_back=rolled_back, **data)
    subjects = [
        Subject(order_id, known[order_id].order_name, known[order_id].checkout_page_id, store)
        for order_id in order_ids
    ]
    with jobs_transaction() as connection:
        ids = [publish(connection, event, one, data={"request_id": 1} | data) for one in subjects]
        if rolled_back is not None:
            rolled_back += ids
            connection.rollback()
            return []
        return ids


def deliveries(columns: str = "*") -> list[Any]:
    return list(run(f"SELECT {columns} FROM delivery ORDER BY seq, connection_id"))


def states() -> Counter[str]:
    return Counter(row.state for row in deliveries())


def trouble(connection_id: int) -> Any:
    """The connection's row, which says what is wrong with it."""
    return run("SELECT * FROM connection WHERE id = :id", id=connection_id)[0]


def pause() -> float:
    """Seconds until the only waiting delivery is tried again."""
    [[seconds]] = run(
        "SELECT extract(epoch FROM next_attempt_at - now()) FROM delivery WHERE state = 'waiting'"
    )
    return float(seconds)


def make_due() -> None:
    """What the passing of time does to all that waits."""
    run("UPDATE delivery SET next_attempt_at = now() WHERE state = 'waiting'")
    run("UPDATE connection SET paused_until = NULL")
