"""Refunds of before this version get their sums, by the rule of today, as far as it can be told what they were."""

import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine

from db.connections import roles
from db.connections.roles import libpq_url
from db.schema.migrate import alembic_config, migrate
from services.refunds.sums import Line, refund_sums
from tests.support.databases import create_database, drop_database

# (order, currency, total, lines as amount and whether refunded, requests as result and lines, sums expected)
ORDERS: list[tuple[Any, ...]] = [
    (1, "EUR", "9.00", [("6.00", True), ("4.00", True)], [("full", [1, 2])], ["9.00"]),
    (2, "EUR", "9.00", [("6.00", True), ("4.00", False)], [("partial", [1])], ["5.40"]),
    (3, "JPY", "1000", [("333", True)] * 3, [("partial", [2]), ("full", [1, 3])], ["333", "667"]),
    (4, "BHD", "1.000", [("1", True), ("1", False), ("1", True)], [("partial", [1, 3])], ["0.667"]),
    (5, "EUR", "2.01", [("1.005", True), ("1.005", True)], [("full", [1, 2])], ["2.01"]),
    (6, "EUR", "5.00", [("0", True), ("0", True)], [("partial", [1]), ("full", [2])], ["2.50", "2.50"]),
    (7, "EUR", "0.00", [("6.00", True)], [("full", [1])], ["0.00"]),
    (8, "EUR", "12.3456", [("6.00", True), ("4.00", True)], [("full", [1, 2])], ["12.3456"]),
    (9, "EUR", "10.00", [("6.00", True)], [("partial", [2])], [None]),  # its line is gone
    (10, "EUR", "10.00", [("6.00", False), ("4.00", True)], [("partial", [1])], [None]),  # the mark has moved
    (
        11,
        "EUR",
        "10.00",
        [("6.00", True)],
        [("partial", [1]), ("partial", [1])],
        [None, None],
    ),  # the same line twice
    (12, "EUR", "10.00", [("6.00", True)], [("full", [])], [None]),  # nobody wrote which lines
    (
        13,
        "EUR",
        "10.00",
        [("6.00", True), ("4.00", True)],
        [("partial", [1, 5])],
        [None],
    ),  # one of them is gone
    (14, "EUR", "10.00", [("6.00", False)], [("refused", [])], [None]),
]


@pytest.fixture
def old_database(server_url: str) -> Iterator[str]:
    """A database as version 0.1.0 left it."""
    name = f"esupport_old_{uuid.uuid4().hex[:8]}"
    url = create_database(server_url, name)
    roles.ensure_app_role(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0014")
    engine.dispose()
    yield url
    drop_database(server_url, name)


def fill(connection: psycopg.Connection) -> None:
    connection.execute("INSERT INTO checkout_page (name) VALUES ('shop-a')")
    for order_id, currency, total, lines, requests, _ in ORDERS:
        connection.execute(
            "INSERT INTO orders (order_id, checkout_page_id, order_name, status, created_at, paid_at, currency, total) "
            "SELECT %s, id, 'A', 'paid', now(), now(), %s, %s FROM checkout_page",
            (order_id, currency, Decimal(total)),
        )
        for position, (amount, refunded) in enumerate(lines, 1):
            connection.execute(
                "INSERT INTO order_item (order_id, position, checkout_page_id, item_id, name, price, quantity, amount, "
                "refunded) SELECT %s, %s, id, %s, 'x', 1, 1, %s, %s FROM checkout_page",
                (order_id, position, str(position), Decimal(amount), refunded),
            )
        for result, positions in requests:
            done = result != "refused"
            made = connection.execute(
                "INSERT INTO refund_request (order_id, checkout_page_id, status, result, reason, requester_name, "
                "requester_email, closed_at) SELECT %s, id, %s, %s, 'r', 'n', 'n@x.example', now() FROM checkout_page "
                "RETURNING id",
                (order_id, "completed" if done else "refused", result),
            ).fetchone()
            assert made is not None
            for position in positions:
                connection.execute(
                    "INSERT INTO refund_request_item SELECT %s, %s, %s, id FROM checkout_page",
                    (made[0], order_id, position),
                )


def test_sums_of_earlier_refunds(old_database: str) -> None:
    with psycopg.connect(libpq_url(old_database)) as connection:
        fill(connection)
    assert "0015" in migrate(old_database)
    with psycopg.connect(libpq_url(old_database)) as connection:
        for order_id, currency, total, lines, requests, expected in ORDERS:
            rows = connection.execute(
                "SELECT amount, currency FROM refund_request WHERE order_id = %s ORDER BY id", (order_id,)
            ).fetchall()
            wanted = [None if amount is None else Decimal(amount) for amount in expected]
            assert [amount for amount, _ in rows] == wanted, order_id
            assert {code for amount, code in rows if amount is not None} <= {currency}
            assert sum(amount for amount in wanted if amount is not None) <= Decimal(total)
            shares = refund_sums(
                Decimal(total), currency, [Line(n, Decimal(a)) for n, (a, _) in enumerate(lines, 1)]
            )
            for (_, positions), amount in zip(requests, wanted, strict=True):
                if amount is not None:
                    assert amount == shares.sum_of(positions), "the rule in SQL is the rule in Python"
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("UPDATE refund_request SET amount = 9.01 WHERE order_id = 1")


def test_it_can_be_interrupted_and_run_again(old_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(libpq_url(old_database)) as connection:
        fill(connection)
    from db.migrations import support

    class Interrupted(Exception):
        pass

    real, seen = support._range, []

    def once(*arguments: object) -> int:
        seen.append(arguments)
        if len(seen) == 2:
            raise Interrupted
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(support, "_range", once)
    with pytest.raises(Interrupted):
        migrate(old_database)
    assert "0015" in migrate(old_database)
    with psycopg.connect(libpq_url(old_database)) as connection:
        rows = connection.execute("SELECT count(*) FROM refund_request WHERE amount IS NOT NULL").fetchall()
    assert rows == [(sum(amount is not None for *_, sums in ORDERS for amount in sums),)]
