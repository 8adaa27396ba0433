"""What the pages say when the database does not answer, with statements that really end that way."""

import logging

import pytest
from sqlalchemy import event
from streamlit.testing.v1 import AppTest

from db.engine import PAGE_SECONDS, app_engine
from pages import routes
from pages.components.errors import TOO_LONG
from services.access import Role
from services.order_export import ExportRows
from services.order_filter import OrderFilter
from tests import factories
from tests.factories import document


def slow() -> None:
    from sqlalchemy import text

    from db.engine import viewer_transaction
    from pages.components.errors import showing_errors

    with showing_errors(), viewer_transaction(1, longest_seconds=0.1) as connection:
        connection.execute(text("SELECT pg_sleep(5)"))


def cut_off() -> None:
    from sqlalchemy import text

    from db.engine import viewer_transaction
    from pages.components.errors import showing_errors

    with showing_errors(), viewer_transaction(1) as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


def test_a_search_that_takes_too_long_says_what_to_do(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "esupport.pages"):
        shown = AppTest.from_function(slow).run()
    assert [error.value for error in shown.error] == [TOO_LONG]
    assert "statement timeout" in caplog.text


def test_any_other_silence_of_the_database_has_a_reference(database: str) -> None:
    shown = AppTest.from_function(cut_off).run()
    [error] = shown.error
    assert error.value.startswith("The database did not answer in time. Please try again")
    assert "Reference" in error.value


def test_an_export_may_take_an_hour_and_a_page_may_not(database: str) -> None:
    factories.take_in(document())
    viewer = factories.viewer(factories.account("carla", role=Role.ANALYST, stores=["shop-a"]))
    limits = []

    def sent(_: object, __: object, ___: str, parameters: dict[str, str], *rest: object) -> None:
        limits.extend(value for name, value in parameters.items() if name == "longest")

    engine = app_engine()
    event.listen(engine, "before_cursor_execute", sent)
    try:
        zone = routes.ZoneInfo("UTC")
        pieces = routes._pieces(viewer, OrderFilter.empty(zone), ExportRows.ORDER, zone, [], "csv")
        assert b"".join(pieces).count(b"\r\n") == 2
        factories.viewer(viewer.account_id)
    finally:
        event.remove(engine, "before_cursor_execute", sent)
    assert limits == ["3600000ms", f"{PAGE_SECONDS}000ms"]
