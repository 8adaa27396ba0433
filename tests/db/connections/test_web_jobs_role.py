"""The role with which a web server that does not know the owner's address takes on the jobs' role."""

import psycopg
import pytest
from sqlalchemy import text

from db.connections import engine
from db.connections.roles import libpq_url, web_jobs_url


def test_it_has_no_right_of_its_own_and_may_take_on_the_jobs_role(database: str) -> None:
    with psycopg.connect(libpq_url(web_jobs_url(database)), autocommit=True) as connection:
        for statement in ("SELECT * FROM account", "SELECT * FROM orders", "CREATE TABLE mine (id integer)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        connection.execute("SET ROLE esupport_jobs")
        connection.execute("SELECT totp_secret FROM account").fetchall()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("ALTER TABLE account ADD COLUMN mine text")


def test_jobs_run_through_it_where_it_is_given(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    address = web_jobs_url(database)
    monkeypatch.setenv("ESUPPORT_WEB_JOBS_DATABASE_URL", address)
    monkeypatch.setattr(engine, "owner_url", lambda: pytest.fail("the owner's address was asked for"))
    with engine.jobs_transaction() as connection:
        row = connection.execute(text("SELECT session_user, current_user")).one()
    assert tuple(row) == ("esupport_web_jobs", "esupport_jobs")
    engine.dispose_engines()
