"""Requests of FreeScout's and Help Scout's custom apps: is the signature right, and which e-mails does the body hold?

Both send `{"ticket", "customer": {"id", "fname", "lname", "email", "emails"}, "mailbox"}`, leave out what has no value,
and sign the raw bytes: base64 of an HMAC-SHA1 whose key is the secret as it was typed.
"""

import base64
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from services.connections.messages import WrongMessage
from services.text.keys import email_key

MAX_BODY_BYTES: Final = 64 * 1024
MOST_EMAILS: Final = 20
_SIGNATURE_HEADERS: Final = ("x-freescout-signature", "x-helpscout-signature")
_LONGEST_EMAIL: Final = 320
# A key that nobody has: an unknown address takes as long as a known one.
_NOBODYS_SECRET: Final = "-" * 40


class AskedEmails(NamedTuple):
    """The search keys of the customer's e-mails, each once; `left_out` is the number beyond `MOST_EMAILS`."""

    keys: tuple[str, ...]
    left_out: int


def is_signed(secrets: Iterable[str], headers: Mapping[str, str], body: bytes) -> bool:
    """Whether one of the secrets signed these bytes. The names in `headers` are in lower case.

    With no secret at all a signature is computed all the same, so that an unknown address cannot be told by time.
    """
    secrets = tuple(secrets)
    expected = [sign(secret, body).encode() for secret in secrets or (_NOBODYS_SECRET,)]
    given = [headers.get(name, "").strip().encode("utf-8", "replace") for name in _SIGNATURE_HEADERS]
    # Every pair is compared, whichever is right.
    equal = [hmac.compare_digest(left, right) for left in expected for right in given]
    return bool(secrets) and any(equal)


def sign(secret: str, body: bytes) -> str:
    """The signature of these bytes, as both help desks make it."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha1")).decode()


def read_emails(body: bytes) -> AskedEmails:
    """The e-mails of `customer.email` and `customer.emails`; raises `WrongMessage`.

    A conversation without a customer, or without an e-mail, asks for nobody. So does a text that is no order's e-mail.
    """
    try:
        fields = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise WrongMessage(None, "The body is not a JSON document in UTF-8.") from None
    if not isinstance(fields, dict):
        raise WrongMessage(None, "The body must be a JSON object with customer.")
    keys = dict.fromkeys(
        key for email in _emails(fields.get("customer")) if _is_findable(email) and (key := email_key(email))
    )
    return AskedEmails(tuple(keys)[:MOST_EMAILS], max(0, len(keys) - MOST_EMAILS))


def _emails(customer: object) -> list[str]:
    # PHP writes an empty object as an empty list, and Help Scout what is missing as false.
    if not customer:
        return []
    if not isinstance(customer, dict):
        raise WrongMessage("customer", "An object with email or emails is expected.")
    return [
        *_texts("customer.email", customer.get("email")),
        *_texts("customer.emails", customer.get("emails")),
    ]


def _texts(field: str, value: object) -> list[str]:
    values = value if isinstance(value, list) else [value] if value else []
    texts = [text for text in values if isinstance(text, str)]
    if len(texts) < len(values):
        raise WrongMessage(field, "A text or a list of texts is expected.")
    return texts


def _is_findable(email: str) -> bool:
    return len(email) <= _LONGEST_EMAIL and email.isprintable()
