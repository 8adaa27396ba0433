"""The parts of the benchmark that need a running portal: it answers, and every click without an answer is counted."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench import crowd, downloads, orders, people, portal, tab
from bench.searches import searches
from db.connections import engine
from services.orders.filters import SearchInput

NUMBER = 400
HISTORY = 'class="es-history"'


@pytest.fixture(scope="module")
def specialist(database: str) -> int:
    return orders.fill(NUMBER)


@pytest.fixture(scope="module")
def url(specialist: int) -> Iterator[str]:
    with portal.served() as running:
        yield running.url


def test_a_tab_finds_what_the_form_was_filled_with_and_opens_it(url: str) -> None:
    with engine.owner_engine().begin() as connection:
        by_kind = {kind: about[0] for kind, about in searches(connection).items()}
        number_in_data = connection.execute(
            by_kind["20 IDs"].count,
            by_kind["20 IDs"].values | {"stores": [1, 2, 3]},
        ).scalar_one()

    async def visit() -> tuple[tab.Shown, ...]:
        async with tab.opened(url, portal.cookies(1)[0]) as page:
            results = await page.search(by_kind["20 IDs"].typed)
            order = await page.choose(3)
            month = await page.search(by_kind["a month and Paid"].typed)
            return results, order, month

    # In a thread of its own: the browser of other tests has an event loop in this one.
    with ThreadPoolExecutor(1) as own_thread:
        results, order, month = own_thread.submit(asyncio.run, visit()).result()
    assert (results.count, results.rows, results.errors) == (number_in_data, True, [])
    assert HISTORY not in results.html
    assert HISTORY in order.html
    assert order.errors == []
    assert month.count and month.count < NUMBER / 5, "the days and the status count"


def test_a_search_that_shows_no_rows_is_counted_as_failed(url: str) -> None:
    nothing = SearchInput(email="nobody@example.com")
    clicks = crowd.crowd(url, portal.cookies(2), [nothing], seconds=1, every=0.2)
    assert len(clicks) >= 2
    assert all(click.failure and "No order matches" in click.failure for click in clicks)


def test_a_server_that_is_not_there_is_counted_as_failed(database: str) -> None:
    clicks = crowd.crowd("http://localhost:9", ["x"], [SearchInput()], seconds=1, every=0.2)
    assert [click.what for click in clicks] == ["load"]
    assert clicks[0].failure


def test_people_at_the_portal_get_what_they_ask_for(specialist: int) -> None:
    (row,) = people.serve((3,), seconds=2)
    assert row["clicks"] >= 3
    assert row["failed"] == 0
    assert row["process, MB"] > 50


def test_a_download_has_every_row(specialist: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "_SECONDS", 1.0)
    by_order, by_item = downloads.measure(1, specialist)
    assert NUMBER * 0.9 < by_order["rows"] < by_item["rows"]
