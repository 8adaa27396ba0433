"""Test events: one that is delivered at once, and one as the shop would send it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import Connection

from db.connections.engine import jobs_transaction
from db.schema.audit_actions import AuditAction
from db.schema.connection_states import ConnectionKind, Purpose
from services.access import Viewer
from services.actions import ActionResult, action
from services.audit import recording
from services.connections.listing import ListedConnection, get_connection
from services.connections.messages import sign
from services.connections.safe_http import NotAllowedAddress, NotDelivered, SafeClient
from services.connections.secrets import find_secrets
from services.errors import Conflict

TEST_TYPE: Final = "test"
_SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class SignedExample:
    """A message as a shop would send it; its signature is valid for five minutes."""

    address: str
    headers: dict[str, str]
    body: str


@action(AuditAction.TEST_CONNECTION)
def send_test_event(connection: Connection, viewer: Viewer, connection_id: int) -> ActionResult:
    """Send an event of the type `test` to the connection's address at once; the sentence has the shop's answer.

    It is no event of the outbox: it is not repeated and not listed. Raises `NotAllowed`, `ConnectionNotFound`, and
    `Conflict` when nothing was sent or no answer came.
    """
    known = get_connection(connection, viewer, connection_id)
    if known.out_url is None:
        raise Conflict("This connection has no address that events are sent to.")
    secrets = _secrets(connection_id, Purpose.OUT)
    if not secrets:
        raise Conflict("This connection has no secret for what goes out. Rotate the outgoing secret first.")
    body = _body(known)
    headers = _headers(secrets, body) | {"User-Agent": "ESupport portal"}
    client = SafeClient()
    try:
        answer = client.post(known.out_url, body.encode(), headers)
    except (NotDelivered, NotAllowedAddress) as error:
        raise Conflict(str(error)) from error
    finally:
        client.close()
    text = _beginning(answer.content)
    said = f"The shop answered {answer.status}" + (f": {text}" if text else ".")
    verdict = "" if 200 <= answer.status < 300 else " Anything but 200 to 299 counts as not delivered."
    return ActionResult(
        said + verdict, {"connection": connection_id, "store": known.store, "status": answer.status}
    )


def sign_example(
    connection: Connection, viewer: Viewer, connection_id: int, *, address: str | None
) -> SignedExample:
    """A signed message of the type `test` to try the connection with from the shop's side; recorded.

    It is received, and ignored. Raises `NotAllowed`, `ConnectionNotFound`, and `Conflict` for a connection that takes
    no such messages.
    """
    known = get_connection(connection, viewer, connection_id)
    secrets = _secrets(connection_id, Purpose.IN)
    if known.kind is not ConnectionKind.WEBHOOKS or not secrets:
        raise Conflict("This connection takes no messages of Standard Webhooks.")
    body = _body(known)
    details = {"connection": connection_id, "store": known.store, "example": True}
    recording.record(connection, viewer, AuditAction.TEST_CONNECTION, address=address, details=details)
    return SignedExample(known.address, _headers(secrets[:1], body), body)


def _beginning(content: bytes) -> str:
    text = content[:4096].decode("utf-8", "replace")
    return "".join(c if c.isprintable() else " " for c in text)[:_SHOWN].strip()


def _secrets(connection_id: int, purpose: Purpose) -> tuple[str, ...]:
    with jobs_transaction() as jobs:
        return find_secrets(jobs, connection_id, purpose)


def _body(known: ListedConnection) -> str:
    stamp = datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    return json.dumps(
        {"type": TEST_TYPE, "timestamp": stamp, "data": {"store": known.store}}, separators=(",", ":")
    )


def _headers(secrets: tuple[str, ...], body: str) -> dict[str, str]:
    now, message_id = datetime.now(UTC), f"test_{uuid4()}"
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(sign(secret, message_id, now, body) for secret in secrets),
    }
