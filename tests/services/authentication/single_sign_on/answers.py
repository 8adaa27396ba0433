"""Answers of a provider, what they open, and what the audit log says of them."""

import time
import uuid
from typing import Any

from services.authentication import passwords, single_sign_on
from tests.support.factories import run

HASH = passwords.hash_password("correct horse 7")


def claims(**changed: object) -> dict[str, object]:
    return {
        "iss": "https://login.example",
        "sub": "1",
        "nonce": uuid.uuid4().hex,
        "iat": time.time(),
        "exp": time.time() + 60,
        "email": "anna@team.EXAMPLE",
        "email_verified": True,
    } | changed


def decide(**changed: object) -> single_sign_on.SignInDecision | None:
    return single_sign_on.decide(claims(**changed), address="192.0.2.7")


def last_audit() -> Any:
    return run("SELECT succeeded, account_id, address, details FROM audit_log ORDER BY id DESC LIMIT 1")[0]


def account(email: str) -> int:
    return int(
        run(
            "INSERT INTO account (email, name, role, password_hash) VALUES (:email, 'x', 'specialist', '-') "
            "RETURNING id",
            email=email,
        )[0].id
    )
