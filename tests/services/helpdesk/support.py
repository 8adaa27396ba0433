"""Connections of help desks, and requests signed as FreeScout and Help Scout sign them."""

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any

from db.connections.engine import jobs_transaction
from db.schema.connection_states import Purpose
from services.connections.secrets import add_secret
from tests.support.factories import run


def help_desk(store: str, *, secret: str = "s3cret", kind: str = "help desk") -> tuple[int, str]:
    """A new connection of the store, which exists: its ID and its key."""
    key = f"c_{secrets.token_urlsafe(16)}"
    [[connection_id]] = run(
        "INSERT INTO connection (checkout_page_id, kind, name, key) "
        "SELECT id, :kind, 'Help desk', :key FROM checkout_page WHERE name = :store RETURNING id",
        kind=kind, key=key, store=store,
    )  # fmt: skip
    with jobs_transaction() as connection:
        add_secret(connection, connection_id, Purpose.IN, secret)
    return int(connection_id), key


# Any: whatever JSON a help desk, or somebody else, may send.
def body_of(**customer: Any) -> bytes:
    """What FreeScout sends for a conversation with this customer."""
    return json.dumps(
        {
            "ticket": {"id": 7, "number": 3, "subject": "Où est ma clé ?"},
            "customer": {"id": 5, "fname": "Inês", "lname": "Araújo"} | customer,
            "mailbox": {"id": 1, "email": "help@shop.example"},
        }
    ).encode()


def signed(body: bytes, secret: str = "s3cret", *, header: str = "X-FREESCOUT-SIGNATURE") -> dict[str, str]:
    """The headers of a request with that body, computed by hand and not by the code under test."""
    digest = hmac.new(secret.encode(), body, hashlib.sha1).digest()
    return {"Content-Type": "application/json", header: base64.b64encode(digest).decode()}


def lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
