"""Messages of Standard Webhooks 1.0.0: is the signature right, and what does the body say?"""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from services.connections.incoming import WrongMessage as WrongMessage

MAX_BODY_BYTES: Final = 1024 * 1024
# The type of a message of which not even the type can be read.
UNREADABLE: Final = "unreadable"
_LONGEST_ID: Final = 256
_LONGEST_TYPE: Final = 100
_MOST_SIGNATURES: Final = 20
_FIRST_YEAR, _LAST_YEAR = 1970, 2200
# A key that nobody has: an unknown address takes as long as a known one.
_NOBODYS_SECRET: Final = "whsec_" + "A" * 43 + "="


class MessageType(StrEnum):
    """The types of messages from shops that have an effect; others are accepted and ignored."""

    ORDER = "order.upserted"
    ITEM = "order.item"
    ERASED = "customer.erased"
    SUCCEEDED = "action.succeeded"
    FAILED = "action.failed"


@dataclass(frozen=True, slots=True)
class Message:
    """The envelope of a message; `data` is not looked at yet."""

    type: str
    timestamp: datetime
    data: dict[str, Any]


def is_signed(secrets: Iterable[str], headers: Mapping[str, str], body: bytes) -> bool:
    """Whether one of the secrets signed these bytes within the last five minutes.

    With no secret at all a signature is computed all the same, so that an unknown address cannot be told by time.
    """
    signatures = headers.get("webhook-signature", "").split(" ")
    stamp = headers.get("webhook-timestamp", "")
    if len(signatures) > _MOST_SIGNATURES or not (stamp.isascii() and stamp.isdigit()):
        signatures = []
    # The library takes numbers and base64 in any spelling, and one malformed signature for the end of all.
    canonical = " ".join(signature for signature in signatures if _is_canonical(signature))
    headers = dict(headers) | {"webhook-signature": canonical or "v1,"}
    verdicts = [_verifies(secret, headers, body) for secret in secrets]
    return any(verdicts) if verdicts else _verifies(_NOBODYS_SECRET, headers, body) and False


def _is_canonical(signature: str) -> bool:
    version, _, encoded = signature.partition(",")
    try:
        return version == "v1" and b64encode(b64decode(encoded, validate=True)).decode() == encoded
    except ValueError:
        return False


def _verifies(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError, OverflowError):
        # The library raises plain errors for headers that are malformed, and for bytes that are not UTF-8.
        return False
    return True


def event_id(headers: Mapping[str, str]) -> str:
    """The message's own ID, the same when it is sent again; raises `WrongMessage` for one that cannot be kept."""
    value = headers.get("webhook-id", "")
    if not 0 < len(value) <= _LONGEST_ID or not value.isprintable():
        raise WrongMessage("webhook-id", f"The ID must have 1 to {_LONGEST_ID} printable characters.")
    return value


def read_message(body: bytes) -> Message:
    """The envelope `{"type", "timestamp", "data"}`; raises `WrongMessage`."""
    try:
        fields = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise WrongMessage(None, "The body is not a JSON document in UTF-8.") from None
    if not isinstance(fields, dict):
        raise WrongMessage(None, "The body must be a JSON object with type, timestamp and data.")
    kind, stamp, data = fields.get("type"), fields.get("timestamp"), fields.get("data")
    if not isinstance(kind, str) or not 0 < len(kind) <= _LONGEST_TYPE or not kind.isprintable():
        raise WrongMessage("type", f"A text of 1 to {_LONGEST_TYPE} characters is expected.")
    if not isinstance(data, dict):
        raise WrongMessage("data", "An object is expected.")
    return Message(kind, _time(stamp), data)


def _time(stamp: object) -> datetime:
    problem = WrongMessage("timestamp", "A time in ISO 8601 with an offset is expected.")
    if not isinstance(stamp, str) or len(stamp) > 40:
        raise problem
    try:
        time = datetime.fromisoformat(stamp)
        if time.tzinfo is None or not _FIRST_YEAR <= time.year <= _LAST_YEAR:
            raise problem
        return time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise problem from None


def read_text(message: Message, name: str, *, longest: int, lines: bool = False) -> str:
    """A field of `data` that must be a text of printable characters; `lines` takes line breaks and tabs as spaces."""
    value: object = message.data.get(name)
    if isinstance(value, str) and lines:
        value = " ".join(value.split())
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        raise WrongMessage(f"data.{name}", f"A text of 1 to {longest} characters is expected.")
    return value


def digest_of(body: bytes) -> str:
    """A name for a message that has none of its own."""
    return hashlib.sha256(body).hexdigest()


def sign(secret: str, message_id: str, at: datetime, body: str) -> str:
    """The signature of a message that goes out; `at` is aware."""
    # The library takes the wall clock of any zone for UTC.
    return Webhook(secret).sign(message_id, at.astimezone(UTC), body)


def same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass"))
