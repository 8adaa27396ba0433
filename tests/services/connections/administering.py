"""Connections for tests as administrators make them."""

from typing import Any
from uuid import uuid4

from db.connections.engine import viewer_transaction
from db.connections.viewers import SignedIn
from db.schema.connection_states import ConnectionKind, Purpose, Topic
from services.actions import Action, ActionRequest, perform
from services.connections.administration import create_connection
from services.connections.form import ConnectionForm
from services.connections.kinds import make_secrets, new_key
from services.connections.listing import ListedConnection, find_connections
from tests.support import factories
from tests.support.factories import run


def administer(admin: SignedIn, action: Action[...], *args: Any, **named: Any) -> str:
    """What a page does when an administrator confirms a dialog; returns the sentence."""
    request = ActionRequest(key=uuid4(), address="192.0.2.1")
    return perform(factories.viewer(admin), request, action, *args, **named)


def store_id(name: str = "shop-a") -> int:
    [[found]] = run("SELECT id FROM checkout_page WHERE name = :name", name=name)
    return int(found)


def listed(admin: SignedIn) -> tuple[ListedConnection, ...]:
    viewer = factories.viewer(admin)
    with viewer_transaction(viewer.account_id) as connection:
        return find_connections(connection, viewer)


def connect(
    admin: SignedIn,
    *,
    kind: ConnectionKind = ConnectionKind.WEBHOOKS,
    store: str = "shop-a",
    secrets: dict[Purpose, str] | None = None,
    **form: Any,
) -> ListedConnection:
    """A new connection; a webhook sends refunds and subscriptions to an address unless `form` says otherwise."""
    if kind is ConnectionKind.WEBHOOKS:
        form = {"out_url": "https://shop.example/hook", "topics": [Topic.REFUNDS, Topic.SUBSCRIPTIONS]} | form
    made = make_secrets(kind, sends_out=True) if secrets is None else secrets
    administer(
        admin,
        create_connection,
        store_id=store_id(store),
        kind=kind,
        key=new_key(),
        form=ConnectionForm(**{"name": "Shop"} | form),
        secrets=made,
    )
    return max(listed(admin), key=lambda made: made.id)
