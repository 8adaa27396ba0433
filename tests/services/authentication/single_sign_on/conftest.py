"""The account that the tests of single sign-on begin with."""

from collections.abc import Iterator

import pytest

from tests.services.authentication.single_sign_on.answers import HASH
from tests.support.factories import run


@pytest.fixture
def anna(database: str) -> Iterator[int]:
    """An account with a one-time password that has run out, Anna@Team.example."""
    rows = run(
        "INSERT INTO account (email, name, role, password_hash, must_change_password, one_time_until) VALUES "
        "('Anna@Team.example', 'Anna', 'specialist', :hash, true, now() - interval '1 day') RETURNING id",
        hash=HASH,
    )
    yield rows[0].id
    run("DELETE FROM account WHERE email ILIKE '%team.example'")
