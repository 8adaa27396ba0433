"""Reading from a replica: one's own changes at once, stores as they are now, else from the primary."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from db.connections import replica as db_replica
from db.connections import wal_positions
from db.connections.engine import dispose_engines, viewer_transaction
from db.connections.replica import is_at_replica, read, reading_transaction
from db.schema.statuses import RefundStatus
from services.access import Viewer
from services.exports.columns import ExportRows
from services.exports.csv_file import export_orders
from services.orders.filters import OrderFilter, SearchInput, parse_filter
from services.orders.saved_searches import save_search
from services.orders.search import count_orders, find_orders, missing_ids
from services.refunds.requests import request_refund
from services.reports import get_report
from tests.scaling.servers import Replica, Server
from tests.support import factories
from tests.support.factories import document

ZONE = ZoneInfo("UTC")
REQUESTED = parse_filter(SearchInput(refunds=frozenset({RefundStatus.REQUESTED})), zone=ZONE)


@pytest.fixture
def anna(scaled: Server, replica: Replica) -> Viewer:
    """A specialist of two stores of her own with an order in each, known to the replica."""
    name = f"anna-{time.monotonic_ns()}"
    for store in ("own", "other"):
        factories.take_in(
            document(order_id=time.monotonic_ns(), checkout_page=f"{store}-{name}"),
        )
    account_id = factories.account(name, stores=[f"own-{name}", f"other-{name}"])
    viewer = factories.viewer(account_id)
    replica.catch_up()
    assert _until(lambda: where(viewer), "replica")
    return viewer


def where(viewer: Viewer) -> str:
    return read(viewer.account_id, viewer.store_ids, lambda c: "replica" if is_at_replica(c) else "primary")


def read_from(viewer: Viewer, order_filter: OrderFilter) -> tuple[str, int]:
    """Where a search was read, and how many orders it found."""

    def work(connection: Connection) -> tuple[str, int]:
        number = count_orders(connection, viewer, order_filter).number
        return "replica" if is_at_replica(connection) else "primary", number

    return read(viewer.account_id, viewer.store_ids, work)


def own_order(viewer: Viewer) -> int:
    with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
        return find_orders(connection, viewer, OrderFilter.empty(ZONE)).rows[0].order_id


def test_searches_are_read_on_the_replica_as_the_apps_role(anna: Viewer) -> None:
    everything = OrderFilter.empty(ZONE)
    assert read_from(anna, everything) == ("replica", 2)
    with reading_transaction(anna.account_id, anna.store_ids) as connection:
        role, writable = connection.execute(text("SELECT current_user::text, NOT pg_is_in_recovery()")).one()
        assert (role, writable) == ("esupport_app", False)
        assert connection.execute(text("SELECT count(*) FROM orders")).scalar_one() == 2, "her own"


def test_an_export_and_a_report_are_read_there(anna: Viewer) -> None:
    everything = OrderFilter.empty(ZONE)
    with reading_transaction(anna.account_id, anna.store_ids, longest_seconds=3600) as connection:
        assert is_at_replica(connection)
        lines = b"".join(export_orders(connection, anna, everything, rows=ExportRows.ORDER, zone=ZONE))
        assert lines.count(b"\r\n") == 3
    report = read(
        anna.account_id, anna.store_ids, lambda c: (is_at_replica(c), get_report(c, anna, everything))
    )
    assert (report[0], report[1].orders) == (True, 2)


def test_ones_own_change_is_seen_at_once_though_the_replica_stands_still(
    anna: Viewer, replica: Replica
) -> None:
    rita = factories.viewer(
        factories.account(f"rita-{anna.account_id}", role="refund_operator", all_stores=True)
    )
    replica.catch_up()
    before = read_from(rita, REQUESTED)[1]
    with replica.paused():
        assert read_from(anna, REQUESTED) == ("replica", 0)
        factories.act(anna.account_id, request_refund, own_order(anna), reason="Bought twice")
        assert read_from(anna, REQUESTED) == ("primary", 1)
        assert read_from(rita, REQUESTED) == ("replica", before), "somebody else's view is a moment old"
    assert read_from(anna, REQUESTED) == ("replica", 1)
    assert read_from(rita, REQUESTED) == ("replica", before + 1)


def test_what_is_in_no_result_is_not_waited_for(anna: Viewer, replica: Replica) -> None:
    with replica.paused():
        with viewer_transaction(anna.account_id, changes_orders=False) as connection:
            save_search(connection, anna, REQUESTED)
        assert where(anna) == "replica"
        with viewer_transaction(anna.account_id) as connection:
            connection.execute(text("SELECT count(*) FROM orders"))
        assert where(anna) == "replica", "nothing was written"
        with viewer_transaction(anna.account_id) as connection:
            save_search(connection, anna, OrderFilter.empty(ZONE))
        assert where(anna) == "primary", "the control"


def test_a_withdrawn_store_is_not_shown_though_the_replica_still_allows_it(
    anna: Viewer, replica: Replica
) -> None:
    names = {store.id: store.name for store in anna.stores}
    [gone] = [page for page, name in names.items() if name.startswith("other-")]
    everything = OrderFilter.empty(ZONE)
    with viewer_transaction(anna.account_id, changes_orders=False) as connection:
        rows = {row.store: row.order_id for row in find_orders(connection, anna, everything).rows}
    hidden = parse_filter(SearchInput(order_ids=str(rows[names[gone]])), zone=ZONE)
    with replica.paused():
        factories.run(
            "DELETE FROM account_page WHERE account_id = :id AND checkout_page_id = :page",
            id=anna.account_id,
            page=gone,
        )
        now = factories.viewer(anna.account_id)  # what the next click begins with
        assert read_from(now, everything) == ("replica", 1)
        assert read_from(now, hidden) == ("replica", 0)
        with reading_transaction(now.account_id, now.store_ids) as connection:
            assert is_at_replica(connection)
            behind = connection.execute(text("SELECT count(*) FROM orders")).scalar_one()
            assert behind == 2, (
                "row-level security there has not heard of it: the statements carry the stores"
            )
            assert missing_ids(connection, now, hidden) == (1, (str(rows[names[gone]]),))
            assert get_report(connection, now, everything).orders == 1
            lines = b"".join(export_orders(connection, now, everything, rows=ExportRows.ITEM, zone=ZONE))
            assert lines.count(b"\r\n") == 2


def test_a_new_store_is_shown_at_once_from_the_primary(anna: Viewer, replica: Replica) -> None:
    name = f"new-{anna.account_id}"
    with replica.paused():
        factories.take_in(document(order_id=time.monotonic_ns(), checkout_page=name))
        factories.run(
            "INSERT INTO account_page SELECT :id, id FROM checkout_page WHERE name = :name",
            id=anna.account_id,
            name=name,
        )
        now = factories.viewer(anna.account_id)
        assert read_from(now, OrderFilter.empty(ZONE)) == ("primary", 3)
    assert read_from(now, OrderFilter.empty(ZONE)) == ("replica", 3)


def test_a_replica_that_is_too_far_behind_is_not_read(
    anna: Viewer, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal_positions, "OLDEST_SECONDS", 0.05)
    monkeypatch.setattr(wal_positions, "SAMPLE_SECONDS", 0.0)
    assert _until(lambda: where(anna), "replica")
    with replica.paused():
        factories.take_in(document(order_id=time.monotonic_ns()))
        assert _until(lambda: where(anna), "primary")
    assert _until(lambda: where(anna), "replica")


def test_a_killed_replica_is_replaced_by_the_primary_and_read_again_when_it_is_back(
    anna: Viewer, replica: Replica, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db_replica, "RETRY_SECONDS", 0.1)
    assert where(anna) == "replica"
    replica.kill()
    try:
        with caplog.at_level(logging.WARNING, "esupport.db"):
            assert [read_from(anna, OrderFilter.empty(ZONE)) for _ in range(5)] == [("primary", 2)] * 5
            assert _until(lambda: time.sleep(0.11) or where(anna), "primary")  # type: ignore[func-returns-value]
        said = [
            record.getMessage() for record in caplog.records if "replica does not serve" in record.message
        ]
        assert len(said) == 1, "once a minute"
        assert "password" not in said[0]
    finally:
        replica.start()
    assert _until(lambda: where(anna), "replica")


def test_a_replica_that_dies_in_the_middle_of_a_search_is_replaced(anna: Viewer, replica: Replica) -> None:
    tried: list[bool] = []

    def work(connection: Connection) -> int:
        tried.append(is_at_replica(connection))
        if tried[-1]:
            replica.execute("SELECT pg_terminate_backend(%s)", _backend(connection))
        return count_orders(connection, anna, OrderFilter.empty(ZONE)).number

    assert read(anna.account_id, anna.store_ids, work) == 2
    assert tried == [True, False]


def test_a_search_that_takes_too_long_is_not_begun_again(anna: Viewer) -> None:
    tried: list[bool] = []

    def work(connection: Connection) -> None:
        tried.append(is_at_replica(connection))
        connection.execute(text("SELECT pg_sleep(5)"))

    with pytest.raises(OperationalError):
        read(anna.account_id, anna.store_ids, work, longest_seconds=0.2)
    assert tried == [True]


def test_an_address_of_the_primary_itself_is_no_replica(
    anna: Viewer, scaled: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DATABASE_READ_URL", scaled.url)
    dispose_engines()
    with caplog.at_level(logging.WARNING, "esupport.db"):
        assert read_from(anna, OrderFilter.empty(ZONE)) == ("primary", 2)
    assert "It is no replica." in caplog.text


@pytest.mark.parametrize("user", ["esupport", "somebody", ""])
def test_whatever_user_the_address_names_the_apps_role_reads(
    anna: Viewer, replica: Replica, monkeypatch: pytest.MonkeyPatch, user: str
) -> None:
    url = make_url(replica.url).set(username=user or None, password="wrong" if user else None)
    monkeypatch.setenv("DATABASE_READ_URL", url.render_as_string(hide_password=False))
    dispose_engines()
    with reading_transaction(anna.account_id, anna.store_ids) as connection:
        assert is_at_replica(connection)
        assert connection.execute(text("SELECT session_user::text")).scalar_one() == "esupport_app"


def test_without_a_replica_nothing_is_asked_for_it(anna: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_READ_URL")
    wal_positions.forget_all()
    factories.act(anna.account_id, request_refund, own_order(anna), reason=f"At {datetime.now(UTC)}")
    assert where(anna) == "primary"
    assert wal_positions.required(anna.account_id) == 0


def _backend(connection: Connection) -> int:
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def _until(ask: Callable[[], str], expected: str) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if ask() == expected:
            return True
        time.sleep(0.02)
    return False
