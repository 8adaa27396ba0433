"""The app's role through PgBouncer in transaction mode: nothing is carried over from one transaction to the next."""

import re
import threading
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from db.connections.engine import PAGE_SECONDS, anonymous_transaction, viewer_transaction
from db.connections.viewers import SignedIn
from services.orders.filters import OrderFilter
from services.orders.search import find_orders
from tests.scaling.servers import Server
from tests.support import factories

UTC = ZoneInfo("UTC")
LIMITS = (
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "jit",
    "esupport.viewer",
)
VIEWER = re.compile(r"(\d+) \d+ stands [0-9a-f]{64}")


def account(server: Server, email: str) -> SignedIn:
    return factories.signed_in(int(str(server.value("SELECT id FROM account WHERE email = %s", email))))


def test_what_startup_options_are_to_pgbouncer(bouncer: str) -> None:
    # Why nothing is set when a connection begins.
    with pytest.raises(psycopg.OperationalError, match="unsupported startup parameter"):
        psycopg.connect(bouncer, options="-c statement_timeout=15s")


def test_every_transaction_has_its_limits_and_leaves_none(scaled: Server, bouncer: str) -> None:
    anna = account(scaled, "anna@demo.example")
    shown = "SELECT pg_backend_pid(), " + ", ".join(f"current_setting('{name}', true)" for name in LIMITS)
    for transaction, expected in (
        (viewer_transaction(anna), (f"{PAGE_SECONDS}s", "3s", "1min", "off", str(anna))),
        (viewer_transaction(anna, longest_seconds=3600), ("1h", "3s", "1h", "off", str(anna))),
        (anonymous_transaction(), (f"{PAGE_SECONDS}s", "3s", "1min", "off", "")),
    ):
        with transaction as connection:
            backend, *inside = connection.execute(text(shown)).one()
        *limits, viewer = inside
        match = VIEWER.fullmatch(viewer)
        assert (*limits, match[1] if match else viewer) == expected
        with psycopg.connect(bouncer) as stranger:
            after = stranger.execute(shown).fetchone()
        assert after is not None
        assert after[0] == backend, "the same server connection, which is what this is about"
        assert (after[1], after[2], after[5]) == ("0", "0", "")


def test_viewers_in_turn_on_the_same_server_connections_see_their_own(scaled: Server) -> None:
    people = {
        email: set(row[0] for row in scaled.execute(
            "SELECT o.order_id FROM orders o JOIN checkout_page p ON p.id = checkout_page_id WHERE p.name = ANY (%s)",
            stores,
        ))
        for email, stores in (
            ("anna@demo.example", ["demo-eu"]),
            ("boris@demo.example", ["demo-us", "demo-apac"]),
        )
    }  # fmt: skip
    seen: dict[str, list[set[int]]] = {email: [] for email in people}
    barrier = threading.Barrier(6)

    def look(email: str) -> None:
        asks = factories.viewer(account(scaled, email))
        barrier.wait()
        for _ in range(15):
            with viewer_transaction(asks.account_id) as connection:
                seen[email].append(set(connection.execute(text("SELECT order_id FROM orders")).scalars()))
                page = find_orders(connection, asks, OrderFilter.empty(UTC))
                assert {row.order_id for row in page.rows} <= people[email]

    threads = [threading.Thread(target=look, args=(email,)) for email in list(people) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for email, expected in people.items():
        assert len(seen[email]) == 45
        assert all(answer == expected for answer in seen[email])


def test_a_slow_statement_is_cut_off_at_the_callers_limit(scaled: Server) -> None:
    anna = account(scaled, "anna@demo.example")
    with (
        pytest.raises(OperationalError) as raised,
        viewer_transaction(anna, longest_seconds=0.2) as connection,
    ):
        connection.execute(text("SELECT pg_sleep(5)"))
    assert raised.value.orig.sqlstate == "57014"  # type: ignore[union-attr]
    with viewer_transaction(anna, longest_seconds=5) as connection:
        connection.execute(text("SELECT pg_sleep(0.4)"))
