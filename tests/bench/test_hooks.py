"""The benchmark of connections over a few orders: what is sent is answered, merged, delivered. Times are not tested."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from bench import hooks, imports, orders
from tests.support.factories import run


@pytest.fixture(scope="module")
def lines(database: str) -> list[str]:
    """Documents of three stores."""
    orders.fill(300)
    return imports.documents().decode().splitlines()


def test_every_message_of_a_full_inbox_is_merged(lines: list[str]) -> None:
    row = hooks.applying(lines[:50])
    assert 40 < row["number"] <= 50
    assert run("SELECT count(*) FROM inbox WHERE state = 'applied'") == [(row["number"],)]


def test_every_event_is_delivered(lines: list[str]) -> None:
    assert hooks.delivering(40)["number"] == 40
    assert run("SELECT count(*) FROM delivery WHERE state <> 'delivered'") == [(0,)]


@pytest.mark.slow
def test_messages_are_answered_and_arrive_on_a_page(lines: list[str]) -> None:
    with hooks.portal_and_worker() as url, hooks.hook_server() as hooks_url:
        answered = hooks.receiving(url, hooks_url, lines[50:250], by="it", people=1, seconds=2, lead=1)
        # In a thread of its own: the browser of other tests has an event loop in this one.
        with ThreadPoolExecutor(1) as own_thread:
            arrived = own_thread.submit(hooks.arriving, url, lines[-9:]).result()
    assert answered["number"] >= hooks.CONNECTIONS
    assert 0 < arrived["number"] < 9 and arrived["p50, ms"] > 0
