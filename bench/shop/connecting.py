"""The connection between the demo's portal and the pretend shop: found, or made as an administrator would make it."""

from typing import Final, NamedTuple
from uuid import uuid4

from sqlalchemy import Connection, select

from bench.shop.link import Secrets
from db.connections.engine import jobs_transaction, viewer_transaction
from db.connections.viewers import sign_in_without_password
from db.schema.account_tables import account
from db.schema.connection_states import ConnectionKind, Purpose, Topic
from db.schema.connection_tables import connection as connection_table
from db.schema.order_tables import checkout_page
from services.access import Viewer, get_viewer
from services.actions import ActionRequest, perform
from services.connections.administration import create_connection
from services.connections.form import ConnectionForm
from services.connections.kinds import new_key
from services.connections.secrets import find_secrets, new_secret

NAME: Final = "Pretend shop"
STORE: Final = "demo-eu"
_ADMINISTRATOR: Final = "admin@demo.example"


class NotADemo(Exception):
    """The database is not the demo's: a pretend shop has no business there."""


class ShopConnection(NamedTuple):
    """A connection as the shop knows it: its number, and the random part of its address."""

    id: int
    key: str


def connect(out_url: str) -> ShopConnection:
    """The shop's connection to the store `STORE`, made when there is none that is switched on.

    Raises `NotADemo`, and `InvalidInput` when another shop's word counts for that store already.
    """
    with jobs_transaction() as connection:
        store_id = _demo_store(connection)
        found = _find(connection, store_id, out_url)
    if found is None:
        perform(
            _administrator(),
            ActionRequest(key=uuid4(), address=None),
            create_connection,
            store_id=store_id,
            kind=ConnectionKind.WEBHOOKS,
            key=new_key(),
            form=ConnectionForm(name=NAME, out_url=out_url, topics=tuple(Topic), confirms=True),
            secrets={Purpose.IN: new_secret(), Purpose.OUT: new_secret()},
        )
        with jobs_transaction() as connection:
            found = _find(connection, store_id, out_url)
    assert found is not None
    return found


def secrets_of(connection_id: int) -> Secrets:
    """The secrets that are valid now: a shop on this machine may look them up, one elsewhere is told them once."""
    with jobs_transaction() as connection:
        return Secrets(
            find_secrets(connection, connection_id, Purpose.IN),
            find_secrets(connection, connection_id, Purpose.OUT),
        )


def _demo_store(connection: Connection) -> int:
    administrator = select(account.c.id).where(
        account.c.email == _ADMINISTRATOR, account.c.disabled_at.is_(None)
    )
    if connection.execute(administrator).first() is None:
        raise NotADemo("The pretend shop works with demo data only, and this database has no demo accounts.")
    store_id: int | None = connection.execute(
        select(checkout_page.c.id).where(checkout_page.c.name == STORE)
    ).scalar_one_or_none()
    if store_id is None:
        raise NotADemo(f"This database has no store {STORE}.")
    return store_id


def _find(connection: Connection, store_id: int, out_url: str) -> ShopConnection | None:
    columns = connection_table.c
    row = connection.execute(
        select(columns.id, columns.key)
        .where(
            columns.checkout_page_id == store_id,
            columns.kind == ConnectionKind.WEBHOOKS,
            columns.out_url == out_url,
            columns.switched_off_at.is_(None),
        )
        .order_by(columns.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else ShopConnection(row.id, row.key)


def _administrator() -> Viewer:
    with jobs_transaction() as connection:
        account_id = connection.execute(
            select(account.c.id).where(account.c.email == _ADMINISTRATOR)
        ).scalar_one()
        signed_in = sign_in_without_password(connection, account_id)
    with viewer_transaction(signed_in) as connection:
        return get_viewer(connection, signed_in)
