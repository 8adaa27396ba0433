"""How far an export is: its states, whose it is, the wish to cancel it, a server that died, its removal."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from db.connections.engine import jobs_transaction, viewer_transaction
from services.exports.columns import ExportRows
from services.exports.runs import (
    ExportRun,
    RunState,
    begin_run,
    end_run,
    estimate_run,
    find_run,
    request_cancel,
    touch_run,
)
from services.orders.filters import OrderFilter, SearchInput, parse_filter
from services.privacy.retention import apply_retention
from tests.support import factories
from tests.support.factories import document, item, run

UTC = ZoneInfo("UTC")
EVERYTHING = OrderFilter.empty(UTC)


@pytest.fixture(scope="module")
def anna(database: str) -> int:
    factories.take_in(
        *(
            document(order_id=n, customer={"first_name": 'two\r\n"lines"'}, items=[item(), item(item_id="b")])
            for n in range(1, 31)
        ),
        document(order_id=500, checkout_page="shop-b"),
    )
    return factories.account("anna", stores=["shop-a"])


@pytest.fixture(scope="module")
def boris(anna: int) -> int:
    return factories.account("boris", stores=["shop-a", "shop-b"])


def does(account_id: int, work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    viewer = factories.viewer(account_id)
    with viewer_transaction(account_id) as connection:
        return work(connection, viewer, *arguments, **named)


def begun(account_id: int, run_id: UUID | None = None, rows: ExportRows = ExportRows.ORDER) -> UUID:
    new_id: UUID = does(account_id, begin_run, run_id, rows=rows, ending="csv")
    return new_id


def seen(account_id: int, run_id: UUID) -> ExportRun | None:
    run: ExportRun | None = does(account_id, find_run, run_id)
    return run


def test_it_runs_is_touched_and_ends(anna: int) -> None:
    wanted = uuid4()
    assert begun(anna, wanted) == wanted
    assert seen(anna, wanted) == ExportRun(
        wanted, ExportRows.ORDER, "csv", RunState.RUNNING, None, False, 0, 0, False, None
    )
    assert does(anna, touch_run, wanted, rows_sent=10, bytes_sent=2_000)
    export = seen(anna, wanted)
    assert export is not None and (export.rows_sent, export.bytes_sent) == (10, 2_000)
    does(anna, end_run, wanted, RunState.DONE, rows_sent=30, bytes_sent=6_000)
    export = seen(anna, wanted)
    assert export is not None and (export.state, export.rows_sent) == (RunState.DONE, 30)


def test_the_first_end_stays(anna: int) -> None:
    run_id = begun(anna)
    does(anna, end_run, run_id, RunState.CANCELLED, rows_sent=3, bytes_sent=30)
    does(anna, end_run, run_id, RunState.DONE, rows_sent=9, bytes_sent=90)
    assert not does(anna, touch_run, run_id, rows_sent=9, bytes_sent=90)
    export = seen(anna, run_id)
    assert export is not None and (export.state, export.rows_sent) == (RunState.CANCELLED, 3)


def test_an_id_that_is_taken_becomes_another_whoever_has_it(anna: int, boris: int) -> None:
    taken = begun(anna)
    for account_id in (anna, boris):
        other = begun(account_id, taken)
        assert other != taken
        assert seen(account_id, other) is not None


def test_who_asks_to_cancel_is_heard_at_the_next_touch(anna: int) -> None:
    run_id = begun(anna)
    assert does(anna, touch_run, run_id, rows_sent=1, bytes_sent=1)
    does(anna, request_cancel, run_id)
    assert not does(anna, touch_run, run_id, rows_sent=2, bytes_sent=2)
    export = seen(anna, run_id)
    assert export is not None and export.cancel_requested and export.state is RunState.RUNNING


def test_nobody_sees_or_changes_an_export_of_somebody_else(anna: int, boris: int) -> None:
    run_id = begun(anna)
    admin = factories.account("admin", role="administrator")
    for other in (boris, admin):
        assert seen(other, run_id) is None
        does(other, request_cancel, run_id)
        does(other, estimate_run, run_id, EVERYTHING)
        does(other, end_run, run_id, RunState.DONE, rows_sent=1, bytes_sent=1)
        assert not does(other, touch_run, run_id, rows_sent=5, bytes_sent=5)
    assert seen(anna, run_id) == ExportRun(
        run_id, ExportRows.ORDER, "csv", RunState.RUNNING, None, False, 0, 0, False, None
    )
    with factories.refused_by_the_database(), viewer_transaction(boris) as connection:
        connection.exec_driver_sql(
            "INSERT INTO export_run (id, account_id, row_kind, format) "
            f"VALUES (gen_random_uuid(), {anna}, 'order', 'csv')"
        )


def test_an_account_that_is_disabled_meanwhile_is_sent_no_more(anna: int) -> None:
    account_id = factories.account("leaves", stores=["shop-a"])
    run_id, viewer = begun(account_id), factories.viewer(account_id)
    run("UPDATE account SET disabled_at = now() WHERE id = :id", id=account_id)
    with viewer_transaction(account_id) as connection:
        assert not touch_run(connection, viewer, run_id, rows_sent=1, bytes_sent=1)


def test_an_export_whose_server_died_has_failed(anna: int) -> None:
    run_id = begun(anna)
    run("UPDATE export_run SET touched_at = now() - interval '29 seconds' WHERE id = :id", id=run_id)
    assert seen(anna, run_id).state is RunState.RUNNING  # type: ignore[union-attr]
    run("UPDATE export_run SET touched_at = now() - interval '31 seconds' WHERE id = :id", id=run_id)
    assert seen(anna, run_id).state is RunState.FAILED  # type: ignore[union-attr]


def test_few_orders_are_counted_and_items_are_guessed(anna: int, boris: int) -> None:
    for account_id, exact in ((anna, 30), (boris, 31)):
        run_id = begun(account_id)
        does(account_id, estimate_run, run_id, EVERYTHING)
        export = seen(account_id, run_id)
        assert export is not None and (export.rows_estimated, export.is_exact) == (exact, True)
    run_id = begun(anna, rows=ExportRows.ITEM)
    narrow = parse_filter(SearchInput(order_ids="1 2 3", email="ines@example.com"), zone=UTC)
    does(anna, estimate_run, run_id, narrow)
    export = seen(anna, run_id)
    assert export is not None and export.rows_estimated is not None and not export.is_exact


def test_many_orders_are_guessed_by_the_planner(anna: int) -> None:
    run("INSERT INTO checkout_page (name) VALUES ('big')")
    run(
        "INSERT INTO orders (order_id, checkout_page_id, order_name, status, created_at, currency, total) "
        "SELECT 100000 + n, p.id, 'x', 'not paid', now(), 'EUR', 1 "
        "FROM checkout_page p, generate_series(1, 20000) n WHERE p.name = 'big'"
    )
    run(
        "INSERT INTO order_item (order_id, position, item_id, checkout_page_id, name, quantity, price, amount) "
        "SELECT order_id, n, n::text, checkout_page_id, 'x', 1, 1, 1 FROM orders, generate_series(1, 2) n "
        "WHERE order_id > 100000"
    )
    with jobs_transaction() as connection:
        connection.exec_driver_sql("RESET ROLE")
        connection.exec_driver_sql("ANALYZE orders, order_item")
    account_id = factories.account("big", stores=["big"])
    for rows, number in ((ExportRows.ORDER, 20_000), (ExportRows.ITEM, 40_000)):
        run_id = begun(account_id, rows=rows)
        does(account_id, estimate_run, run_id, EVERYTHING)
        export = seen(account_id, run_id)
        assert export is not None and not export.is_exact
        assert export.rows_estimated == pytest.approx(number, rel=0.1)


def test_housekeeping_removes_old_ones_and_closes_those_that_broke_off(anna: int) -> None:
    old, young, broken, running = (begun(anna) for _ in range(4))
    for run_id in (old, young):
        does(anna, end_run, run_id, RunState.DONE, rows_sent=1, bytes_sent=1)
    run("UPDATE export_run SET finished_at = now() - interval '8 days' WHERE id = :id", id=old)
    run("UPDATE export_run SET touched_at = now() - interval '2 hours' WHERE id = :id", id=broken)
    with jobs_transaction() as connection:
        apply_retention(connection)
    assert seen(anna, old) is None
    states = {run_id: seen(anna, run_id).state for run_id in (young, broken, running)}  # type: ignore[union-attr]
    assert states == {young: RunState.DONE, broken: RunState.FAILED, running: RunState.RUNNING}
    with jobs_transaction() as connection:
        assert [done for label, done in apply_retention(connection).items() if "xport" in label] == [0, 0]


def test_nothing_of_what_was_searched_for_is_kept(anna: int) -> None:
    columns = {
        name
        for (name,) in run(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'export_run'"
        )
    }
    assert columns == {
        "id", "account_id", "row_kind", "format", "state", "started_at", "touched_at", "finished_at", "rows_estimated",
        "is_exact", "rows_sent", "bytes_sent", "cancel_requested", "refusal",
    }  # fmt: skip
