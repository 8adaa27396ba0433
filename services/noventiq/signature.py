"""The signature of Noventiq's webhooks: hexadecimal SHA-512 over the secret key and six fields of the message.

The key comes first and the hash is no HMAC; that is the vendor's format. It covers neither status nor amounts nor time:
whoever has seen one signed message can change those. So a message is a hint (services/noventiq/applying.py).
"""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

from services.noventiq.json_values import Json, JsonObject, load, part

HEADER: Final = "signature"
_SEPARATOR: Final = ";"
# A key that nobody has: a connection without a secret takes as long as one with it.
_NOBODYS_SECRET: Final = "\N{NULL}nobody"  # noqa: S105 - it opens nothing


def is_signed(secrets: Iterable[str], signature: str, body: bytes) -> bool:
    """Whether one of the secrets (two are valid during a rotation) signed this message. Never raises."""
    fields = _signed_fields(load(body) or {})
    sent = signature.strip().lower().encode("utf-8", "surrogatepass")
    valid = tuple(secrets)
    matches = [
        hmac.compare_digest(_signature(secret, fields or []), sent) for secret in valid or (_NOBODYS_SECRET,)
    ]
    return bool(valid) and fields is not None and any(matches)


def sign(secret: str, message: JsonObject) -> str:
    """The signature that the vendor would send for this message."""
    return _signature(secret, _signed_fields(message) or []).decode()


def _signed_fields(message: JsonObject) -> list[str] | None:
    """The six values; None when one is no string or number, or when a separator hides in one that is not the last.

    Without the latter, characters could be moved from one field into the next under the same signature.
    """
    values = [
        _value(message.get("event")),
        _value(message.get("order_id")),
        _value(message.get("create_date")),
        _value(part(message, "payment").get("payment_method")),
        _value(message.get("currency")),
        _value(part(message, "customer").get("email")),
    ]
    fields = [value for value in values if value is not None]
    if len(fields) < len(values) or any(_SEPARATOR in field for field in fields[:-1]):
        return None
    return fields


def _value(value: Json) -> str | None:
    # What is absent is an empty string in the vendor's messages.
    if value is None:
        return ""
    return str(value) if isinstance(value, str) else None


def _signature(secret: str, fields: list[str]) -> bytes:
    text = _SEPARATOR.join((secret, *fields))
    return hashlib.sha512(text.encode("utf-8", "surrogatepass")).hexdigest().encode()
