"""What administrators do with connections. Secrets are written here and never read back, told or recorded."""

from collections.abc import Collection, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, func, insert, select, update

from db.connections.engine import jobs_transaction
from db.schema.audit_actions import AuditAction
from db.schema.connection_tables import connection as connection_table
from db.schema.connection_tables import connection_secret
from db.schema.order_tables import checkout_page
from services.access import Viewer, require_administrator
from services.actions import ActionResult, action
from services.connections.answers import give_up_all
from services.connections.form import ConnectionForm, Values, checked_secret, checked_values
from services.connections.inbox import ConnectionKind
from services.connections.kinds import CONFIRMED_TOPICS, RULES
from services.connections.listing import SWITCHED_OFF_BY_HAND, ConnectionNotFound
from services.connections.secrets import OVERLAP, Purpose, add_secret
from services.errors import Conflict, InvalidInput, NotFound

_FIELDS = {Purpose.IN: "in_secret", Purpose.OUT: "out_secret", Purpose.API: "api_secret"}


class _Known(NamedTuple):
    """A connection that is locked for a change."""

    id: int
    store_id: int
    store: str
    kind: ConnectionKind
    name: str
    is_switched_off: bool


@action(AuditAction.CREATE_CONNECTION)
def create_connection(
    connection: Connection,
    viewer: Viewer,
    *,
    store_id: int,
    kind: ConnectionKind,
    key: str,
    form: ConnectionForm,
    secrets: Mapping[Purpose, str],
) -> ActionResult:
    """Connect a store. `key` is `kinds.new_key`'s, `secrets` are those made here and those that the other side gave.

    A secret that the other side gives can be set later as well. Raises `NotAllowed`,
    `InvalidInput` (fields as `ConnectionForm` and its options name them, `store`, and `in_secret`, `api_secret`),
    `Conflict`.
    """
    require_administrator(viewer)
    values = checked_values(kind, form)
    checked = {
        purpose: checked_secret(kind, purpose, secret, field=_FIELDS[purpose])
        for purpose, secret in secrets.items()
        if secret.strip() or purpose in RULES[kind].made
    }
    _require_interface(kind, values, has_api_secret=Purpose.API in checked)
    store = _lock_store(connection, store_id)
    _require_only_word(connection, store_id, kind, values["confirms"], values["topics"], own_id=None)
    connection_id = connection.execute(
        insert(connection_table)
        .values(checkout_page_id=store_id, kind=kind, key=key, created_by=int(viewer.account_id), **values)
        .returning(connection_table.c.id)
    ).scalar_one()
    for purpose, secret in checked.items():
        add_secret(connection, connection_id, purpose, secret)
    return ActionResult(
        f"The connection {values['name']} was created.",
        {"connection": connection_id, "store": store, "kind": kind, **_recorded(values)},
    )


@action(AuditAction.CHANGE_CONNECTION)
def change_connection(
    connection: Connection, viewer: Viewer, connection_id: int, *, form: ConnectionForm
) -> ActionResult:
    """Set what a connection is called, sends and confirms.

    Raises `NotAllowed`, `ConnectionNotFound`, `InvalidInput`, `Conflict`.
    """
    known = _lock(connection, viewer, connection_id)
    values = checked_values(known.kind, form)
    _require_interface(known.kind, values, has_api_secret=_has_secret(connection, connection_id, Purpose.API))
    if not known.is_switched_off:
        _require_only_word(
            connection, known.store_id, known.kind, values["confirms"], values["topics"], own_id=connection_id
        )
    connection.execute(
        update(connection_table).where(connection_table.c.id == connection_id).values(**values)
    )
    return ActionResult(
        f"The connection {values['name']} was saved.",
        {"connection": connection_id, "store": known.store, **_recorded(values)},
    )


@action(AuditAction.CHANGE_CONNECTION_SECRET)
def change_secret(
    connection: Connection, viewer: Viewer, connection_id: int, purpose: Purpose, *, secret: str
) -> ActionResult:
    """Make `secret` the connection's own for the purpose; the one before it stays valid for two days.

    Raises `NotAllowed`, `ConnectionNotFound`, `InvalidInput` (field `secret`).
    """
    known = _lock(connection, viewer, connection_id)
    if purpose not in RULES[known.kind].made | RULES[known.kind].typed:
        raise InvalidInput("This connection has no such secret.", field="secret")
    checked = checked_secret(known.kind, purpose, secret, field="secret")
    until = add_secret(connection, connection_id, purpose, checked)
    days = f" The one before it stays valid for {OVERLAP.days} days." if until else ""
    return ActionResult(
        f"The connection {known.name} has a new secret.{days}",
        {"connection": connection_id, "store": known.store, "purpose": purpose},
    )


@action(AuditAction.SWITCH_CONNECTION_OFF)
def switch_off(connection: Connection, viewer: Viewer, connection_id: int, *, gives_up: bool) -> ActionResult:
    """Neither receive nor send anything by it. Raises `NotAllowed`, `ConnectionNotFound`, `Conflict`.

    With `gives_up`, actions that wait for its answer end as not delivered, so that they can be done again. Otherwise
    they wait until it is switched on.
    """
    known = _lock(connection, viewer, connection_id)
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
    """Receive and send again; what waited goes out. Raises `NotAllowed`, `ConnectionNotFound`, `Conflict`."""
    known = _lock(connection, viewer, connection_id)
    if not known.is_switched_off:
        raise Conflict("This connection is switched on already.")
    columns = connection_table.c
    row = connection.execute(
        select(columns.topics, columns.confirms).where(columns.id == connection_id)
    ).one()
    _require_only_word(connection, known.store_id, known.kind, row.confirms, row.topics, own_id=connection_id)
    connection.execute(
        update(connection_table)
        .where(connection_table.c.id == connection_id)
        .values(switched_off_at=None, switched_off_because=None)
    )
    return ActionResult(
        f"The connection {known.name} is switched on.", {"connection": connection_id, "store": known.store}
    )


@action(AuditAction.DELETE_CONNECTION)
def delete_connection(connection: Connection, viewer: Viewer, connection_id: int) -> ActionResult:
    """Remove a connection that is switched off, with its secrets, its messages and what it would still send.

    Actions that wait for its answer end as not delivered. Raises `NotAllowed`, `ConnectionNotFound`, `Conflict`.
    """
    known = _lock(connection, viewer, connection_id)
    if not known.is_switched_off:
        raise Conflict("Switch the connection off first: nothing may be on its way while it is deleted.")
    given_up = _give_up_waiting(connection_id, known.name)
    connection.execute(delete(connection_table).where(connection_table.c.id == connection_id))
    details = {"connection": connection_id, "store": known.store, "kind": known.kind, "name": known.name}
    return ActionResult(
        f"The connection {known.name} was deleted.{_given_up(given_up)}", details | {"given_up": given_up}
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


def _lock(connection: Connection, viewer: Viewer, connection_id: int) -> _Known:
    """The connection, locked after its store: what others of the store confirm is looked at under that lock."""
    require_administrator(viewer)
    columns = connection_table.c
    store_id = connection.execute(
        select(columns.checkout_page_id).where(columns.id == connection_id)
    ).scalar_one_or_none()
    if store_id is None:
        raise ConnectionNotFound
    store = _lock_store(connection, store_id)
    row = connection.execute(
        select(columns.kind, columns.name, columns.switched_off_at)
        .where(columns.id == connection_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    if row is None:
        raise ConnectionNotFound
    return _Known(
        connection_id,
        store_id,
        store,
        ConnectionKind(row.kind),
        row.name,
        row.switched_off_at is not None,
    )


def _lock_store(connection: Connection, store_id: int) -> str:
    name: str | None = connection.execute(
        select(checkout_page.c.name).where(checkout_page.c.id == store_id).with_for_update(key_share=True)
    ).scalar_one_or_none()
    if name is None:
        raise NotFound("There is no such checkout page.")
    return name


def _require_only_word(
    connection: Connection,
    store_id: int,
    kind: ConnectionKind,
    confirms: bool,
    topics: Collection[str],
    *,
    own_id: int | None,
) -> None:
    """Raise `InvalidInput` when another connection of the store and kind confirms one of the same topics.

    Between kinds there is an order instead (services/events/awaiting.py): who carries the money out comes first.
    """
    awaited = CONFIRMED_TOPICS.intersection(topics)
    if not confirms or not awaited:
        return
    columns = connection_table.c
    other = connection.execute(
        select(columns.name, columns.topics)
        .where(
            columns.checkout_page_id == store_id,
            columns.kind == kind,
            columns.confirms,
            columns.switched_off_at.is_(None),
            columns.id.is_distinct_from(own_id),
            columns.topics.overlap(sorted(awaited)),
        )
        .limit(1)
    ).first()
    if other is None:
        return
    shared = " and ".join(sorted(awaited.intersection(other.topics)))
    raise InvalidInput(
        f"The connection {other.name} confirms {shared} of this store already; only one word can count.",
        field="confirms",
    )


def _require_interface(kind: ConnectionKind, values: Values, *, has_api_secret: bool) -> None:
    """Raise `InvalidInput` when Noventiq should carry actions out and cannot be asked to."""
    if kind is not ConnectionKind.NOVENTIQ or not values["topics"]:
        return
    if not values["options"]["username"]:
        raise InvalidInput("Actions go out by the vendor's API: give its user name.", field="username")
    if not has_api_secret:
        raise InvalidInput("Actions go out by the vendor's API: give its password.", field="api_secret")


def _has_secret(connection: Connection, connection_id: int, purpose: Purpose) -> bool:
    found = select(connection_secret.c.id).where(
        connection_secret.c.connection_id == connection_id,
        connection_secret.c.purpose == purpose,
        connection_secret.c.valid_until.is_(None),
    )
    return connection.execute(found.limit(1)).first() is not None


def _recorded(values: Values) -> dict[str, object]:
    """What the audit log keeps: an address without its query, which may hold something secret."""
    address = urlsplit(values["out_url"] or "")
    where = f"{address.scheme}://{address.hostname}{address.path}" if address.hostname else None
    return {name: values[name] for name in ("name", "topics", "confirms", "options")} | {"out_url": where}
