"""An event as a message of Standard Webhooks 1.0.0: signed, and posted to the shop's address."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from services.connections.messages import sign
from services.connections.safe_http import NotAllowedAddress, NotDelivered, SafeClient
from services.delivery.due import DueDelivery
from services.executors.interface import TryLater

_GONE: Final = 410
# The answers whose `Retry-After` is obeyed.
_BUSY: Final = (429, 503)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The shop has taken the message."""

    status: int


@dataclass(frozen=True, slots=True)
class Gone:
    """The shop wants no message at this address any more."""

    status: int = _GONE


def post(client: SafeClient, due: DueDelivery) -> Delivered | Gone | TryLater:
    """Send the message once. What the shop writes in its answer is not kept: it may name a person."""
    if not due.secrets or due.out_url is None:
        return TryLater("The connection has no secret to sign with.")
    body, headers = _message(due)
    try:
        answer = client.post(due.out_url, body, headers)
    except (NotDelivered, NotAllowedAddress) as error:
        return TryLater(str(error))
    if 200 <= answer.status < 300:
        return Delivered(answer.status)
    if answer.status == _GONE:
        return Gone()
    wait = answer.retry_after if answer.status in _BUSY else None
    return TryLater(f"The shop answered {answer.status}.", answer.status, wait)


def _message(due: DueDelivery) -> tuple[bytes, dict[str, str]]:
    """The body, and the headers with a signature by each valid secret: two during a rotation."""
    stamp = due.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    body = json.dumps({"type": due.type, "timestamp": stamp, "data": due.data})
    now, message_id = datetime.now(UTC), str(due.event_id)
    signatures = [sign(secret, message_id, now, body) for secret in due.secrets]
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "ESupport portal",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return body.encode(), headers
