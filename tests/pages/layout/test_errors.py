"""What the pages say when the database does not answer, with statements that really end that way."""

import logging

import pytest
from streamlit.testing.v1 import AppTest

from pages.components.layout.errors import TOO_LONG
from tests.support import factories


def slow(account_id: int) -> None:
    from sqlalchemy import text

    from db.connections.engine import viewer_transaction
    from pages.components.layout.errors import showing_errors

    with showing_errors(), viewer_transaction(account_id, longest_seconds=0.1) as connection:
        connection.execute(text("SELECT pg_sleep(5)"))


def cut_off(account_id: int) -> None:
    from sqlalchemy import text

    from db.connections.engine import viewer_transaction
    from pages.components.layout.errors import showing_errors

    with showing_errors(), viewer_transaction(account_id) as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


def test_a_search_that_takes_too_long_says_what_to_do(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "esupport.pages"):
        shown = AppTest.from_function(slow, args=(factories.account("slow"),)).run()
    assert [error.value for error in shown.error] == [TOO_LONG]
    assert "statement timeout" in caplog.text


def test_any_other_silence_of_the_database_has_a_reference(database: str) -> None:
    shown = AppTest.from_function(cut_off, args=(factories.account("cut-off"),)).run()
    [error] = shown.error
    assert error.value.startswith("The database did not answer in time. Please try again")
    assert "Reference" in error.value
