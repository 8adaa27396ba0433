"""Connections created and changed by administrators. Secrets are written here and never read back, told or recorded."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from sqlalchemy import Connection, insert, select, update

from db.schema.audit_actions import AuditAction
from db.schema.connection_states import ConnectionKind, Purpose
from db.schema.connection_tables import connection as connection_table
from db.schema.connection_tables import connection_secret
from services.access import Viewer, require_administrator
from services.actions import ActionResult, action
from services.connections.form import ConnectionForm, Values, checked_secret, checked_values
from services.connections.kinds import RULES, new_key
from services.connections.listing import get_connection
from services.connections.locking import lock_connection, lock_store, require_only_word
from services.connections.secrets import OVERLAP, add_secret
from services.connections.switching import retry_waiting
from services.errors import InvalidInput

_FIELDS = {Purpose.IN: "in_secret", Purpose.OUT: "out_secret", Purpose.API: "api_secret"}


@action(AuditAction.CREATE_CONNECTION)
def create_connection(
    connection: Connection,
    viewer: Viewer,
    *,
    store_id: int,
    kind: ConnectionKind,
    form: ConnectionForm,
    secrets: Mapping[Purpose, str],
    key: str | None = None,
) -> ActionResult:
    """Connect a store. `secrets` are those that were made for it (kinds.py) and those that the other side gave.

    `key` is one of `kinds.new_key`, where the address was shown before. A secret that the other side gives can be set
    later as well. Raises `NotAllowed`, `Conflict`, and `InvalidInput` for fields as `ConnectionForm` and its options
    name them, and for `in_secret` and `api_secret`.
    """
    require_administrator(viewer)
    values = checked_values(kind, form)
    checked = {
        purpose: checked_secret(kind, purpose, secret, field=_FIELDS[purpose])
        for purpose, secret in secrets.items()
        if secret.strip() or purpose in RULES[kind].made
    }
    _require_interface(kind, values, has_api_secret=Purpose.API in checked)
    store = lock_store(connection, store_id)
    require_only_word(connection, store_id, kind, values["confirms"], values["topics"], own_id=None)
    connection_id = connection.execute(
        insert(connection_table)
        .values(
            checkout_page_id=store_id,
            kind=kind,
            key=key or new_key(),
            created_by=int(viewer.account_id),
            **values,
        )
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
    """Set what a connection is called, sends and confirms; at another address, what waits is tried at once.

    Raises `NotAllowed`, `ConnectionNotFound`, `InvalidInput`, `Conflict`.
    """
    known = lock_connection(connection, viewer, connection_id)
    values = checked_values(known.kind, form)
    _require_interface(known.kind, values, has_api_secret=_has_secret(connection, connection_id, Purpose.API))
    if not known.is_switched_off:
        require_only_word(
            connection, known.store_id, known.kind, values["confirms"], values["topics"], own_id=connection_id
        )
    old_address = get_connection(connection, viewer, connection_id).out_url
    connection.execute(
        update(connection_table).where(connection_table.c.id == connection_id).values(**values)
    )
    if old_address != values["out_url"]:
        retry_waiting(connection, connection_id)
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
    known = lock_connection(connection, viewer, connection_id)
    if purpose not in RULES[known.kind].made | RULES[known.kind].typed:
        raise InvalidInput("This connection has no such secret.", field="secret")
    checked = checked_secret(known.kind, purpose, secret, field="secret")
    until = add_secret(connection, connection_id, purpose, checked)
    days = f" The one before it stays valid for {OVERLAP.days} days." if until else ""
    return ActionResult(
        f"The connection {known.name} has a new secret.{days}",
        {"connection": connection_id, "store": known.store, "purpose": purpose},
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
    newest = select(connection_secret.c.id).where(
        connection_secret.c.connection_id == connection_id,
        connection_secret.c.purpose == purpose,
        connection_secret.c.valid_until.is_(None),
    )
    return connection.execute(newest.limit(1)).first() is not None


def _recorded(values: Values) -> dict[str, object]:
    """The address for the audit log: without its query, which may hold a secret."""
    address = urlsplit(values["out_url"] or "")
    where = f"{address.scheme}://{address.hostname}{address.path}" if address.hostname else None
    return {name: values[name] for name in ("name", "topics", "confirms", "options")} | {"out_url": where}
