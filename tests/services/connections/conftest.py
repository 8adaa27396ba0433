"""What tests of connections share: each begins without connections, messages and orders."""

import pytest

from tests.support.factories import run


@pytest.fixture(autouse=True)
def nothing_yet(database: str) -> None:
    run("DELETE FROM connection")
    run("DELETE FROM inbox")
    run("DELETE FROM orders")
    run("DELETE FROM import_claim")
