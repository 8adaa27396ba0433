"""The bar over ticked orders, as a script: what it takes, and that it costs nothing while nothing is ticked."""

import pytest
from sqlalchemy import event
from streamlit.testing.v1 import AppTest

from db.connections.engine import app_engine
from pages.components.bulk.ticks import Ticks
from pages.components.layout import session
from tests.support import factories
from tests.support.factories import document


@pytest.fixture(scope="module")
def anna(database: str) -> int:
    factories.take_in(*(document(order_id=n) for n in range(1, 61)))
    return factories.account("anna", stores=["shop-a"])


@pytest.fixture
def page(anna: int) -> AppTest:
    token = factories.session(anna)
    app = AppTest.from_file("../../../app.py", default_timeout=30)
    app.session_state[session.TOKEN_KEY] = token
    app.run()
    assert not app.exception
    return app


def ticked(app: AppTest) -> list[str]:
    bodies = [element.proto.body for element in app.get("html")]
    return [body.split(">")[1].split("<")[0] for body in bodies if 'class="es-ticked"' in body]


def test_a_click_asks_for_no_runs_while_nothing_is_ticked(page: AppTest) -> None:
    sent: list[str] = []

    def hear(_: object, __: object, statement: str, *rest: object) -> None:
        sent.append(statement)

    event.listen(app_engine(), "before_cursor_execute", hear)
    try:
        page.button(key="page_older").click().run()
        page.button(key="page_newer").click().run()
    finally:
        event.remove(app_engine(), "before_cursor_execute", hear)
    assert sent and not [statement for statement in sent if "bulk" in statement]
    assert ticked(page) == []


def test_the_whole_search_is_taken_and_cleared(page: AppTest) -> None:
    number = page.session_state["orders"].state.number
    page.session_state["ticks"] = Ticks(number, (1, 2))
    page.run()
    assert ticked(page) == ["2 ticked"]
    page.button(key="bulk_take_all").click().run()
    assert ticked(page) == ["60 ticked"]
    page.button(key="bulk_clear").click().run()
    assert ticked(page) == [] and not page.exception
    page.session_state["ticks"] = Ticks(number - 1, (1, 2))  # of an earlier search
    page.run()
    assert ticked(page) == []
