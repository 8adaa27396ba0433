"""What a proxy, a starter or monitoring asks the web server, and what it says of its version."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from db.connections import engine
from db.schema.version import required_revision
from pages.components.layout import session
from pages.web.security_headers import health, ready
from services.version import VERSION
from tests.support import factories

PROJECT = Path(__file__).resolve().parents[3]
UNREACHABLE = "postgresql://nobody:nothing@127.0.0.1:1/none"


@pytest.fixture(scope="module")
def client(database: str) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=[Route("/health", health), Route("/readyz", ready)])) as client:
        yield client


@pytest.fixture
def revision(database: str) -> Iterator[None]:
    """Puts the schema's version back after a test that changed it."""
    yield
    _set_revision(required_revision())


def _set_revision(revision: str) -> None:
    with engine.owner_engine().begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = %s", (revision,))


def test_ready_with_the_versions_of_code_and_schema(client: TestClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": VERSION, "schema": required_revision()}
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("other", ["0001", "9999"])
def test_a_schema_of_another_version_is_not_ready_but_healthy(
    client: TestClient, revision: None, other: str
) -> None:
    _set_revision(other)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unavailable",
        "version": VERSION,
        "schema": other,
        "reason": f"The schema is at {other}, this version needs {required_revision()}.",
    }
    assert (client.get("/health").status_code, client.get("/health").text) == (200, "ok")


def test_a_database_that_does_not_answer_is_neither_ready_nor_healthy(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", UNREACHABLE)
    ready_answer, health_answer = client.get("/readyz"), client.get("/health")
    assert (ready_answer.status_code, health_answer.status_code) == (503, 503)
    assert ready_answer.json()["reason"] == health_answer.text == "The database does not answer."
    assert "nothing" not in ready_answer.text


def test_the_profile_page_shows_the_version(database: str) -> None:
    app = AppTest.from_file("../../../app.py", default_timeout=30)
    app.session_state[session.TOKEN_KEY] = factories.session(factories.account("vera"))
    app.run()
    app.switch_page("pages/profile.py").run()
    assert not app.exception
    assert [caption.value for caption in app.caption][-1] == f"ESupport portal {VERSION}"


def test_the_version_is_the_projects_and_heads_the_changelog() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION
    newest = re.search(
        r"^## \[(?:Unreleased|([\d.]+))\]", (PROJECT / "CHANGELOG.md").read_text("utf-8"), re.M
    )
    assert newest is not None
    assert newest[1] in (None, VERSION), "a released version heads the changelog"
    assert ".dev" in VERSION or newest[1] == VERSION, (
        "only a development version has unreleased changes on top"
    )
