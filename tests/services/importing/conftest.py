"""Each test begins without orders."""

from collections.abc import Iterator

import pytest

from tests.support.factories import run


@pytest.fixture(autouse=True)
def empty(database: str) -> Iterator[None]:
    yield
    run("DELETE FROM orders")
    run("DELETE FROM subscription_event")
