"""Refunds of earlier versions get their sums by the rule of today, where it is certain what they were."""

import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

import psycopg
import pytest

from db.connections.roles import libpq_url
from db.schema.migrate import migrate
from services.refunds.sums import Line, refund_sums
from tests.db.schema.old_databases import old_database


class OldOrder(NamedTuple):
    """An order with its refunds: lines as amount and whether refunded, requests as result and positions."""

    order_id: int
    currency: str
    total: str
    lines: list[tuple[str, bool]]
    requests: list[tuple[str, list[int]]]
    sums: list[str | None]


# The comments say why no sum can be told.
ORDERS: list[OldOrder] = [
    OldOrder(1, "EUR", "9.00", [("6.00", True), ("4.00", True)], [("full", [1, 2])], ["9.00"]),
    OldOrder(2, "EUR", "9.00", [("6.00", True), ("4.00", False)], [("partial", [1])], ["5.40"]),
    OldOrder(3, "JPY", "1000", [("333", True)] * 3, [("partial", [2]), ("full", [1, 3])], ["333", "667"]),
    OldOrder(4, "BHD", "1.000", [("1", True), ("1", False), ("1", True)], [("partial", [1, 3])], ["0.667"]),
    OldOrder(5, "EUR", "2.01", [("1.005", True), ("1.005", True)], [("full", [1, 2])], ["2.01"]),
    OldOrder(
        6, "EUR", "5.00", [("0", True), ("0", True)], [("partial", [1]), ("full", [2])], ["2.50", "2.50"]
    ),
    OldOrder(7, "EUR", "0.00", [("6.00", True)], [("full", [1])], ["0.00"]),
    OldOrder(8, "EUR", "12.3456", [("6.00", True), ("4.00", True)], [("full", [1, 2])], ["12.3456"]),
    # The line is gone.
    OldOrder(9, "EUR", "10.00", [("6.00", True)], [("partial", [2])], [None]),
    # The mark has moved.
    OldOrder(10, "EUR", "10.00", [("6.00", False), ("4.00", True)], [("partial", [1])], [None]),
    # The same line twice.
    OldOrder(11, "EUR", "10.00", [("6.00", True)], [("partial", [1]), ("partial", [1])], [None, None]),
    # The request names no lines.
    OldOrder(12, "EUR", "10.00", [("6.00", True)], [("full", [])], [None]),
    # One of the lines is gone.
    OldOrder(13, "EUR", "10.00", [("6.00", True), ("4.00", True)], [("partial", [1, 5])], [None]),
    OldOrder(14, "EUR", "10.00", [("6.00", False)], [("refused", [])], [None]),
]


@pytest.fixture
def before(server_url: str) -> Iterator[str]:
    """A database whose refunds have no sums yet."""
    with old_database(server_url, "0014") as url:
        yield url


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
            is_completed = result != "refused"
            request_row = connection.execute(
                "INSERT INTO refund_request (order_id, checkout_page_id, status, result, reason, requester_name, "
                "requester_email, closed_at) SELECT %s, id, %s, %s, 'r', 'n', 'n@x.example', now() FROM checkout_page "
                "RETURNING id",
                (order_id, "completed" if is_completed else "refused", result),
            ).fetchone()
            assert request_row is not None
            for position in positions:
                connection.execute(
                    "INSERT INTO refund_request_item SELECT %s, %s, %s, id FROM checkout_page",
                    (request_row[0], order_id, position),
                )


def test_sums_of_earlier_refunds(before: str) -> None:
    with psycopg.connect(libpq_url(before)) as connection:
        fill(connection)
    assert "0015" in migrate(before)
    with psycopg.connect(libpq_url(before)) as connection:
        for order_id, currency, total, lines, requests, expected in ORDERS:
            rows = connection.execute(
                "SELECT amount, currency FROM refund_request WHERE order_id = %s ORDER BY id", (order_id,)
            ).fetchall()
            sums = [None if amount is None else Decimal(amount) for amount in expected]
            assert [amount for amount, _ in rows] == sums, order_id
            assert {code for amount, code in rows if amount is not None} <= {currency}
            assert sum(amount for amount in sums if amount is not None) <= Decimal(total)
            shares = refund_sums(
                Decimal(total), currency, [Line(n, Decimal(a)) for n, (a, _) in enumerate(lines, 1)]
            )
            for (_, positions), amount in zip(requests, sums, strict=True):
                if amount is not None:
                    assert amount == shares.sum_of(positions), "the rule in SQL is the rule in Python"
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("UPDATE refund_request SET amount = 9.01 WHERE order_id = 1")


def test_the_migration_can_be_interrupted_and_run_again(before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(libpq_url(before)) as connection:
        fill(connection)
    from db.migrations import support

    class Interrupted(Exception):
        pass

    whole = support._range
    calls = itertools.count()

    def interrupted(*arguments: object) -> int:
        if next(calls) == 1:
            raise Interrupted
        return whole(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(support, "_range", interrupted)
    with pytest.raises(Interrupted):
        migrate(before)
    assert "0015" in migrate(before)
    with psycopg.connect(libpq_url(before)) as connection:
        rows = connection.execute("SELECT count(*) FROM refund_request WHERE amount IS NOT NULL").fetchall()
    assert rows == [(sum(amount is not None for *_, sums in ORDERS for amount in sums),)]
