"""Files that leave by the portal's own routes: exports, the audit log, the customer's page."""

import csv
import io
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.testclient import TestClient

from db.connections.engine import PAGE_SECONDS, app_engine
from pages.web.routes import ROUTES
from services.access import Role
from services.audit.log import seal_audit_filter
from tests.pages.web.test_routes import NOTHING, OWN, client, cookies, ids, people
from tests.support import factories
from tests.support.factories import run

__all__ = ["client", "ids", "people"]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_an_export_is_followed_under_the_id_of_its_page(
    client: TestClient, people: dict[Role, int], ids: dict[int, dict[str, str]], ending: str
) -> None:
    headers, wanted = cookies(people[Role.ANALYST]), uuid4()
    address = f"/export/{ids[OWN]['search']}.{ending}"
    answer = client.get(f"{address}?run={wanted}", headers=headers)
    assert answer.status_code == 200
    runs = run("SELECT account_id, state, rows_sent, bytes_sent FROM export_run WHERE id = :id", id=wanted)
    assert runs == [(people[Role.ANALYST], "done", 1, len(answer.content))]
    # The same id again, or nonsense: the file comes all the same, under an id of its own.
    before = run("SELECT count(*) FROM export_run")[0][0]
    for asked in (str(wanted), "nonsense", ""):
        assert client.get(f"{address}?run={asked}", headers=headers).status_code == 200
    assert run("SELECT count(*) FROM export_run")[0][0] == before + 3
    assert run("SELECT count(*) FROM export_run WHERE state <> 'done'")[0][0] == 0


def test_the_audit_log_leaves_whole_and_harmless_and_is_recorded(
    client: TestClient, people: dict[Role, int]
) -> None:
    run("INSERT INTO audit_log (account_email, action, details) SELECT 'old' || n || '@test.example', 'sign in', "
        "jsonb_build_object('browser', '=cmd()') FROM generate_series(1, 150000) n")  # fmt: skip
    run("INSERT INTO audit_log (account_email, action) VALUES ('=1+2@test.example', 'sign in')")
    [[number]] = run("SELECT count(*) FROM audit_log")
    headers = cookies(people[Role.ADMINISTRATOR])
    viewer = factories.viewer(factories.signed_in(people[Role.ADMINISTRATOR]))

    def export(**asked: str) -> Any:
        sealed = seal_audit_filter(viewer, asked, zone=ZoneInfo("Europe/Berlin"))
        assert "old" not in sealed
        return client.get(f"/export/audit-log/{sealed}.csv", headers=headers)

    answer = export()
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment;")
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(lines) == 1 + number + 1, "with its own line"
    assert {f"old{n}@test.example" for n in (1, 75_000, 150_000)} <= {line[1] for line in lines}
    assert "'=1+2@test.example" in {line[1] for line in lines}
    assert not any(cell.startswith(("=", "+", "-", "@")) for line in lines for cell in line)
    answer = export(account="OLD150000@", action="sign in", since="01/01/2000")
    assert len(answer.text.splitlines()) == 2 and "old150000@" in answer.text
    [[details]] = run(
        "SELECT details FROM audit_log WHERE action = 'export audit log' ORDER BY id DESC LIMIT 1"
    )
    assert details == {"account": "OLD150000@", "action": "sign in", "since": "2000-01-01"}
    for wrong in ({"since": "31.02.2026"}, {"until": "x"}, {"order": "x"}):
        assert export(**wrong).status_code == 404
    another = cookies(factories.account("another", role="administrator"))
    sealed = seal_audit_filter(viewer, {}, zone=ZoneInfo("UTC"))
    for address, cookie in ((sealed, another), (sealed[:-4] + "AAAA", headers), ("x", headers)):
        assert client.get(f"/export/audit-log/{address}.csv", headers=cookie).status_code == 404


def test_an_export_may_take_an_hour_and_a_page_may_not(
    client: TestClient, people: dict[Role, int], ids: dict[int, dict[str, str]]
) -> None:
    limits: set[str] = set()

    def sent(_: object, __: object, ___: str, parameters: object, *rest: object) -> None:
        if isinstance(parameters, dict) and "longest" in parameters:
            limits.add(parameters["longest"])

    engine = app_engine()
    event.listen(engine, "before_cursor_execute", sent)
    try:
        cookie = cookies(people[Role.ANALYST])
        assert client.get(f"/documents/{ids[OWN]['document']}", headers=cookie).status_code == 200
        assert limits == {f"{PAGE_SECONDS}000ms"}
        client.get(f"/export/{ids[OWN]['search']}.csv", headers=cookie)
        assert limits == {f"{PAGE_SECONDS}000ms", "3600000ms"}
    finally:
        event.remove(engine, "before_cursor_execute", sent)


def test_exports_leave_uncompressed(people: dict[Role, int], ids: dict[int, dict[str, str]]) -> None:
    compressing = Starlette(routes=list(ROUTES), middleware=[Middleware(GZipMiddleware, minimum_size=1)])
    headers = cookies(people[Role.ANALYST]) | {"Accept-Encoding": "gzip"}
    with TestClient(compressing) as client:
        export = client.get(f"/export/{ids[OWN]['search']}.csv", headers=headers)
        assert export.headers["Content-Encoding"] == "identity"
        assert export.content.startswith("\ufeffOrder ID".encode())
        page = client.get(f"/o/{ids[OWN]['page']}", headers={"Accept-Encoding": "gzip"})
        assert page.headers["Content-Encoding"] == "gzip", "what would otherwise happen"


def test_an_export_in_a_format_that_does_not_exist_is_nothing_and_no_export_on_record(
    client: TestClient, people: dict[Role, int], ids: dict[int, dict[str, str]]
) -> None:
    before = run("SELECT count(*) FROM audit_log WHERE action = 'export' AND succeeded")
    answer = client.get(f"/export/{ids[OWN]['search']}.exe", headers=cookies(people[Role.ANALYST]))
    assert (answer.status_code, answer.text) == (404, NOTHING)
    assert run("SELECT count(*) FROM audit_log WHERE action = 'export' AND succeeded") == before


@pytest.mark.parametrize("key", ["34408886-0081-4f28-ae81-e03312e5aabf", "x", "%00", "../admin", "1'--"])
def test_no_customers_page_for_a_guessed_key(client: TestClient, people: dict[Role, int], key: str) -> None:
    assert client.get(f"/o/{key}").status_code == 404
    assert client.get(f"/o/{key}/documents/1").status_code == 404


def test_a_files_name_is_neither_turned_around_nor_a_header(
    client: TestClient, people: dict[Role, int], ids: dict[int, dict[str, str]]
) -> None:
    run(
        "UPDATE order_document SET name = :name WHERE id = :id",
        name="\u202efdp.exe",
        id=ids[OWN]["document"],
    )
    try:
        for address, headers in (
            (f"/documents/{ids[OWN]['document']}", cookies(people[Role.ANALYST])),
            (f"/o/{ids[OWN]['page']}/documents/{ids[OWN]['document']}", {}),
        ):
            answer = client.get(address, headers=headers)
            expected = "attachment; filename=\"_fdp.exe\"; filename*=UTF-8''_fdp.exe"
            assert answer.headers["Content-Disposition"] == expected
        assert "\u202e" not in client.get(f"/o/{ids[OWN]['page']}").text
    finally:
        run("UPDATE order_document SET name = 'x.pdf' WHERE id = :id", id=ids[OWN]["document"])
