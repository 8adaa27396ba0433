"""The number of connections in trouble, beside Administration in the navigation."""

from collections.abc import Iterator

import pytest

from db.connections.viewers import SignedIn
from pages.components.administration.connection_trouble import count_trouble, forget_trouble
from tests.support import factories
from tests.support.connected import connect
from tests.support.factories import run


@pytest.fixture(scope="module")
def admin(database: str) -> SignedIn:
    return factories.account("admin", role="administrator")


@pytest.fixture(autouse=True)
def counted_anew(admin: SignedIn) -> Iterator[None]:
    forget_trouble()
    yield
    forget_trouble()
    run("DELETE FROM connection")


def test_administrators_see_it_and_nobody_else(admin: SignedIn) -> None:
    connect("shop-a")
    run("UPDATE connection SET trouble = 'The shop answered 500.', trouble_since = now()")
    for role in ("specialist", "analyst", "refund_operator"):
        person = factories.viewer(factories.account(role, role=role, stores=["shop-a"]))
        assert count_trouble(person) == 0
    assert count_trouble(None) == 0
    assert count_trouble(factories.viewer(admin)) == 1


def test_the_database_is_asked_once_in_a_while(admin: SignedIn) -> None:
    viewer = factories.viewer(admin)
    assert count_trouble(viewer) == 0
    connect("shop-a")
    run("UPDATE connection SET trouble = 'The shop answered 500.', trouble_since = now()")
    assert count_trouble(viewer) == 0
    forget_trouble()
    assert count_trouble(viewer) == 1
