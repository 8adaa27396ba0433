"""A connection's addresses are keys: administrators read them, and nobody else who sees the store."""

import pytest
from sqlalchemy import text

from db.connections.engine import viewer_transaction
from db.errors import NotAllowed
from tests.services.connections.support import connect
from tests.support import factories
from tests.support.factories import run

ROLES = ("specialist", "analyst", "refund_operator")


@pytest.fixture(scope="module", autouse=True)
def shop(database: str) -> None:
    shop = connect()
    run("UPDATE connection SET out_url = 'https://shop.example/?secret=1' WHERE id = :id", id=shop.id)


@pytest.mark.parametrize("role", ROLES)
def test_who_sees_the_store_sees_that_it_is_connected_but_not_where(role: str) -> None:
    account = factories.account(f"a-{role}", role=role, stores=["shop-a"])
    with viewer_transaction(account) as connection:
        assert connection.execute(text("SELECT has_out_url FROM connection")).scalars().all() == [True]
        assert connection.execute(text("SELECT * FROM connection_addresses()")).all() == []
    for columns in ("key", "out_url", "*"):
        with pytest.raises(NotAllowed), viewer_transaction(account) as connection:
            connection.execute(text(f"SELECT {columns} FROM connection"))


def test_an_administrator_reads_them() -> None:
    admin = factories.account("admin", role="administrator")
    with viewer_transaction(admin) as connection:
        [row] = connection.execute(text("SELECT key, out_url FROM connection_addresses()"))
    assert row.key.startswith("c_") and row.out_url == "https://shop.example/?secret=1"
