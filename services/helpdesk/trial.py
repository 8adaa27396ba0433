"""A request as a help desk would send it, to try a connection with."""

import json
from typing import Final

from sqlalchemy import Connection

from db.connections.engine import jobs_transaction
from db.schema.audit_actions import AuditAction
from db.schema.connection_states import ConnectionKind, Purpose
from services.access import Viewer
from services.audit import recording
from services.connections.listing import get_connection
from services.connections.secrets import find_secrets
from services.connections.trial import SignedExample
from services.errors import Conflict
from services.helpdesk.requests import sign

# Of nobody: whoever has an order's e-mail puts it in, and the signature no longer fits.
_EMAIL: Final = "customer@example.com"


def sign_request(
    connection: Connection, viewer: Viewer, connection_id: int, *, address: str | None
) -> SignedExample:
    """A signed request about a customer without orders; recorded. Its signature does not end by itself.

    Raises `NotAllowed`, `ConnectionNotFound`, and `Conflict` for a connection that is not a help desk's.
    """
    listed = get_connection(connection, viewer, connection_id)
    with jobs_transaction() as jobs:
        secrets = find_secrets(jobs, connection_id, Purpose.IN)
    if listed.kind is not ConnectionKind.HELP_DESK or not secrets:
        raise Conflict("This connection takes no requests of a help desk.")
    body = json.dumps({"customer": {"email": _EMAIL}}, separators=(",", ":"))
    details = {"connection": connection_id, "store": listed.store, "example": True}
    recording.record(connection, viewer, AuditAction.TEST_CONNECTION, address=address, details=details)
    headers = {
        "Content-Type": "application/json",
        "X-FreeScout-Signature": sign(secrets[0], body.encode()),
    }
    return SignedExample(listed.address, headers, body)
