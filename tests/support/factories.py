"""Orders, accounts and viewers for tests: real rows by the real ways in, with what matters to a test given by name."""

import copy
import itertools
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.connections.engine import jobs_transaction, viewer_transaction
from db.connections.viewers import SignedIn, sign_in_without_password
from db.errors import SqlState, sqlstate
from services.access import Viewer, get_viewer
from services.actions import Action, ActionRequest, perform
from services.errors import NotAllowed
from services.importing.importer import ImportResult, import_orders

Document = dict[str, Any]
_ids = itertools.count(1_000_001)


def document(**fields: Any) -> Document:
    """An order document with what it must have; `customer` and `items` given replace the whole group."""
    order_id = fields.get("order_id") or next(_ids)
    made: Document = {
        "order_id": order_id,
        "order_name": f"A{order_id:010}",
        "checkout_page": "shop-a",
        "status": "paid",
        "create_date": "2026-03-01T10:00:00+00:00",
        "pay_date": "2026-03-01T10:05:00+00:00",
        "currency": "EUR",
        "customer": {"email": "ines@example.com", "first_name": "Inês", "last_name": "Araújo"},
        "items": [item()],
    }
    return copy.deepcopy(made | fields)


def item(**fields: Any) -> Document:
    return {
        "name": "Antivirus",
        "price": "10.00",
        "quantity": 1,
        "amount": "10.00",
        "delivered": True,
    } | fields


def take_in(*documents: Document) -> ImportResult:
    """Imports the documents in one transaction."""
    lines: Iterable[tuple[int, bytes]] = (
        (number, json.dumps(order).encode()) for number, order in enumerate(documents, 1)
    )
    with jobs_transaction() as connection:
        return import_orders(connection, lines)


def account(
    name: str, *, role: str = "specialist", stores: Iterable[str] = (), all_stores: bool = False
) -> SignedIn:
    """An account that has no password, signed in; makes the stores that do not exist yet. Returns its id."""
    with jobs_transaction() as connection:
        account_id: int = connection.execute(
            text(
                "INSERT INTO account (email, name, role, password_hash, must_change_password, all_stores) "
                "VALUES (:email, :name, :role, '-', false, :all_stores) RETURNING id"
            ),
            {"email": f"{name}@test.example", "name": name, "role": role, "all_stores": all_stores},
        ).scalar_one()
        for store in stores:
            connection.execute(
                text("INSERT INTO checkout_page (name) VALUES (:store) ON CONFLICT DO NOTHING"),
                {"store": store},
            )
            connection.execute(
                text("INSERT INTO account_page SELECT :id, p.id FROM checkout_page p WHERE p.name = :store"),
                {"id": account_id, "store": store},
            )
        return sign_in_without_password(connection, account_id)


def signed_in(account_id: int) -> SignedIn:
    """The id with a new session, which the viewer's transactions need."""
    with jobs_transaction() as connection:
        return sign_in_without_password(connection, account_id)


def session(account_id: int) -> str:
    """The token of a new session."""
    return signed_in(account_id).token


def attempt(account_id: int) -> UUID:
    """An attempt to sign in whose password was right."""
    [[made]] = run(
        "INSERT INTO sign_in_attempt (kind, account_id, credentials_version, network, state) "
        "SELECT 'password', id, credentials_version, 'local', 'right' FROM account WHERE id = :id RETURNING id",
        id=account_id,
    )
    return UUID(str(made))


def viewer(account_id: int) -> Viewer:
    """The viewer behind an account, signed in once more when only its id is known."""
    if not isinstance(account_id, SignedIn):
        account_id = signed_in(account_id)
    with viewer_transaction(account_id) as connection:
        return get_viewer(connection, account_id)


@contextmanager
def refused_by_the_database() -> Iterator[None]:
    """Around a viewer's transaction in which the database itself refuses a right, whatever the services forget."""
    with pytest.raises(NotAllowed) as refusal:
        yield
    cause = refusal.value.__cause__
    assert isinstance(cause, DBAPIError) and sqlstate(cause) == SqlState.INSUFFICIENT_PRIVILEGE, cause


def run(statement: str, **values: object) -> Any:
    """One statement as the jobs' role; its rows, if it has any."""
    with jobs_transaction() as connection:
        result = connection.execute(text(statement), values)
        return result.all() if result.returns_rows else None


def act(
    account_id: int,
    action: Action[...],
    order_id: int | None,
    *args: Any,
    key: UUID | None = None,
    **kwargs: Any,
) -> str:
    """What a page does when a dialog about an order is confirmed; returns the sentence."""
    request = ActionRequest(key=key or uuid4(), address="192.0.2.1", order_id=order_id)
    return perform(viewer(account_id), request, action, order_id, *args, **kwargs)


def history(order_id: int) -> list[str]:
    """The lines that the portal wrote, oldest first."""
    rows = run(
        "SELECT text FROM order_history WHERE order_id = :id AND source = 'portal' ORDER BY id", id=order_id
    )
    return [row.text for row in rows]


def mails(order_id: int) -> list[Any]:
    return list(run("SELECT * FROM mail WHERE order_id = :id ORDER BY id", id=order_id))


def everything() -> dict[str, list[Any]]:
    """All rows that an action could have changed; the audit log, where every attempt is recorded, is left out."""
    tables = (
        "orders order_item activation_code subscription subscription_event order_history order_document refund_request "
        "refund_request_item mail action_key connection connection_secret inbox delivery outbox_event awaited_action"
    )
    return {name: run(f"SELECT * FROM {name} ORDER BY 1, 2, 3") for name in tables.split()}
