"""Connections switched off and on by administrators, and deleted."""

from sqlalchemy import Connection, delete, func, select, update

from db.connections.engine import jobs_transaction
from db.schema.audit_actions import AuditAction
from db.schema.connection_states import DeliveryState
from db.schema.connection_tables import connection as connection_table
from db.schema.connection_tables import delivery
from services.access import Viewer
from services.actions import ActionResult, action
from services.connections.answers import give_up_all
from services.connections.listing import SWITCHED_OFF_BY_HAND
from services.connections.locking import lock_connection, require_only_word
from services.errors import Conflict


@action(AuditAction.SWITCH_CONNECTION_OFF)
def switch_off(connection: Connection, viewer: Viewer, connection_id: int, *, gives_up: bool) -> ActionResult:
    """Neither receive nor send anything by it. Raises `NotAllowed`, `ConnectionNotFound`, `Conflict`.

    With `gives_up`, actions that wait for its answer end as not delivered, so that they can be done again. Otherwise
    they wait until it is switched on.
    """
    known = lock_connection(connection, viewer, connection_id)
    if known.is_switched_off:
        raise Conflict("This connection is switched off already.")
    connection.execute(
        update(connection_table)
        .where(connection_table.c.id == connection_id)
        .values(switched_off_at=func.now(), switched_off_because=SWITCHED_OFF_BY_HAND)
    )
    given_up = _give_up_waiting(connection_id, known.name) if gives_up else 0
    return ActionResult(
        f"The connection {known.name} is switched off.{_given_up(given_up)}",
        {"connection": connection_id, "store": known.store, "given_up": given_up},
    )


@action(AuditAction.SWITCH_CONNECTION_ON)
def switch_on(connection: Connection, viewer: Viewer, connection_id: int) -> ActionResult:
    """Receive and send again; what waited goes out at once, and its trouble is forgotten.

    Raises `NotAllowed`, `ConnectionNotFound`, `Conflict`, and `InvalidInput` when another confirms the same by now.
    """
    known = lock_connection(connection, viewer, connection_id)
    if not known.is_switched_off:
        raise Conflict("This connection is switched on already.")
    columns = connection_table.c
    row = connection.execute(
        select(columns.topics, columns.confirms).where(columns.id == connection_id)
    ).one()
    require_only_word(connection, known.store_id, known.kind, row.confirms, row.topics, own_id=connection_id)
    connection.execute(
        update(connection_table)
        .where(connection_table.c.id == connection_id)
        .values(switched_off_at=None, switched_off_because=None, trouble=None, trouble_since=None)
    )
    retry_waiting(connection, connection_id)
    return ActionResult(
        f"The connection {known.name} is switched on.", {"connection": connection_id, "store": known.store}
    )


@action(AuditAction.DELETE_CONNECTION)
def delete_connection(connection: Connection, viewer: Viewer, connection_id: int) -> ActionResult:
    """Remove a connection that is switched off, with its secrets, its messages and what it would still send.

    Actions that wait for its answer end as not delivered. Raises `NotAllowed`, `ConnectionNotFound`, `Conflict`.
    """
    known = lock_connection(connection, viewer, connection_id)
    if not known.is_switched_off:
        raise Conflict("Switch the connection off first: nothing may be on its way while it is deleted.")
    given_up = _give_up_waiting(connection_id, known.name)
    connection.execute(delete(connection_table).where(connection_table.c.id == connection_id))
    details = {"connection": connection_id, "store": known.store, "kind": known.kind, "name": known.name}
    return ActionResult(
        f"The connection {known.name} was deleted.{_given_up(given_up)}", details | {"given_up": given_up}
    )


def retry_waiting(connection: Connection, connection_id: int) -> None:
    """Make what waits to be sent due now, with all its attempts before it: something was put right."""
    connection.execute(
        update(connection_table).where(connection_table.c.id == connection_id).values(paused_until=None)
    )
    connection.execute(
        update(delivery)
        .where(delivery.c.connection_id == connection_id, delivery.c.state == DeliveryState.WAITING)
        .values(attempts=0, next_attempt_at=func.now())
    )


def _give_up_waiting(connection_id: int, name: str) -> int:
    """End the actions that wait for the connection, as the jobs' role, which alone may; how many they were.

    They stay given up if the caller's transaction fails after all: each can be done again, and nothing is lost.
    """
    with jobs_transaction() as jobs:
        return give_up_all(jobs, connection_id, f"The connection {name} was switched off.")


def _given_up(number: int) -> str:
    if not number:
        return ""
    return f" {number:,} {'action that waited' if number == 1 else 'actions that waited'} can be done again."
