"""The accounts of the tests of attacks, as new before each test."""

from collections.abc import Iterator

import pytest

from db.connections.viewers import SignedIn
from services.authentication import passwords
from tests.services.authentication.attacks.steps import PASSWORD
from tests.support import factories
from tests.support.factories import run


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, SignedIn]:
    names = {"admin": "administrator"} | dict.fromkeys(("anna", "boris", "carla", "rita"), "specialist")
    return {name: factories.account(name, role=role) for name, role in names.items()}


@pytest.fixture(autouse=True)
def fresh(people: dict[str, SignedIn], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(passwords, "COST", 4)
    run(
        "UPDATE account SET failed_sign_ins = 0, locked_until = NULL, disabled_at = NULL, totp_secret = NULL, "
        "email = name || '@test.example', "
        "must_change_password = false, one_time_until = NULL, role = CASE name WHEN 'admin' THEN 'administrator' "
        "ELSE 'specialist' END, password_hash = :hash",
        hash=passwords.hash_password(PASSWORD),
    )
    run("UPDATE account_session SET ended_at = NULL, ended_because = NULL")
    for table in ("sign_in_attempt", "known_device", "password_reset", "mail"):
        run(f"DELETE FROM {table}")
    yield
