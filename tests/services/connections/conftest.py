"""What tests of messages share."""

import pytest

from tests.support.factories import run


@pytest.fixture
def nothing_yet(database: str) -> None:
    run("DELETE FROM connection")
    run("DELETE FROM inbox")
    run("DELETE FROM orders")
    run("DELETE FROM import_claim")
