"""Who gets what from the web server: every route × every role × own and foreign × what ends a session."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.testclient import TestClient

from db.connections.engine import PAGE_SECONDS, app_engine, viewer_transaction
from db.schema.bulk_states import BulkKind
from pages.web.browser_cookies import SESSION
from pages.web.routes import ROUTES
from services.access import Role
from services.audit.log import seal_audit_filter
from services.bulk.preview import Preview
from services.bulk.runs import start_run
from services.orders.filters import SearchInput, parse_filter
from services.orders.saved_searches import save_search
from tests.support import factories
from tests.support.factories import document, run

OWN, FOREIGN = 1, 2
NOTHING = "There is nothing here that you can see. Are you signed in?"


@dataclass(frozen=True)
class Rule:
    """How a route is asked for an order's thing, and whether somebody must be signed in.

    `shows` is what an export has of an order's store, and of no other.
    """

    address: Callable[[dict[str, str]], str]
    is_private: bool = True
    only: Role | None = None
    shows: str = "someone@{store}.example"


RULES = {
    "/documents/{document_id:int}": Rule(lambda ids: f"/documents/{ids['document']}"),
    "/export/audit-log/{sealed}.csv": Rule(
        lambda ids: f"/export/audit-log/{ids['audit']}.csv", only=Role.ADMINISTRATOR
    ),
    "/export/{key}.{ending}": Rule(lambda ids: f"/export/{ids['search']}.csv"),
    "/export/refunds/{grouping}/{key}.csv": Rule(
        lambda ids: f"/export/refunds/store/{ids['search']}.csv", shows="{store}"
    ),
    # A run is its owner's alone.
    "/bulk-run/{run_id:int}.csv": Rule(
        lambda ids: f"/bulk-run/{ids['bulk run']}.csv", only=Role.ADMINISTRATOR
    ),
    "/personal-data/{order_id:int}.{ending}": Rule(
        lambda ids: f"/personal-data/{ids['order']}.json", only=Role.ADMINISTRATOR
    ),
    "/o/{page_key}": Rule(lambda ids: f"/o/{ids['page']}", is_private=False),
    "/o/{page_key}/documents/{document_id:int}": Rule(
        lambda ids: f"/o/{ids['page']}/documents/{ids['document']}", is_private=False
    ),
}


def test_every_route_is_in_the_table() -> None:
    assert {route.path for route in ROUTES} == set(RULES)


@pytest.fixture(scope="module")
def client(database: str) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=list(ROUTES))) as client:
        yield client


@pytest.fixture(scope="module")
def people(database: str) -> dict[Role, int]:
    for order_id, store in ((OWN, "shop-a"), (FOREIGN, "shop-b")):
        factories.take_in(
            document(
                order_id=order_id,
                checkout_page=store,
                customer={"email": f"someone@{store}.example"},
                documents=[{"name": "x.pdf", "kind": "payment", "content_base64": "JVBERg=="}],
            )
        )
    factories.account("spare", role="administrator")
    return {role: factories.account(role, role=role, stores=["shop-a"]) for role in Role}


@pytest.fixture(scope="module")
def ids(people: dict[Role, int]) -> dict[int, dict[str, str]]:
    made = {}
    asks = factories.viewer(people[Role.ADMINISTRATOR])
    for order_id, store in ((OWN, "shop-a"), (FOREIGN, "shop-b")):
        [[paper]] = run("SELECT id FROM order_document WHERE order_id = :id", id=order_id)
        [[page]] = run("SELECT page_key FROM orders WHERE order_id = :id", id=order_id)
        # Saved by somebody who sees both stores: whoever opens it finds what is in their own.
        with viewer_transaction(asks.account_id) as connection:
            search = save_search(
                connection,
                asks,
                parse_filter(SearchInput(email=f"someone@{store}.example"), zone=ZoneInfo("UTC")),
            )
        made[order_id] = {"order": str(order_id), "document": str(paper), "page": str(page), "search": search}
        made[order_id]["audit"] = seal_audit_filter(asks, {}, zone=ZoneInfo("UTC"))
        run(
            "INSERT INTO refund_request (order_id, checkout_page_id, reason, requester_name, requester_email) "
            "SELECT order_id, checkout_page_id, 'Twice', 'X', 'x@example.com' FROM orders WHERE order_id = :id",
            id=order_id,
        )
        with viewer_transaction(asks.account_id) as connection:
            started = start_run(
                connection, asks, Preview(BulkKind.ADD_NOTE, (order_id,), {}, {}), text="Called"
            )
        made[order_id]["bulk run"] = str(started.details["run"])
    return made


def cookies(account_id: int) -> dict[str, str]:
    return {"Cookie": f"{SESSION}={factories.session(account_id)}"}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("path", RULES)
def test_who_gets_what(
    client: TestClient, people: dict[Role, int], ids: dict[int, dict[str, str]], path: str, role: Role
) -> None:
    rule, headers = RULES[path], cookies(people[role])
    own = client.get(rule.address(ids[OWN]), headers=headers)
    if rule.only not in (None, role):
        assert (own.status_code, own.text) == (404, NOTHING)
        return
    assert own.status_code == 200
    if not rule.is_private or rule.only:
        return
    foreign = client.get(rule.address(ids[FOREIGN]), headers=headers)
    if role is Role.ADMINISTRATOR:
        assert foreign.status_code == 200
    elif path.startswith("/export"):
        shown_own, shown_foreign = (rule.shows.format(store=store) for store in ("shop-a", "shop-b"))
        assert shown_foreign not in foreign.text, "the search is found, the order is not"
        assert shown_own in own.text
    else:
        none = client.get("/documents/999999999", headers=headers)
        assert (foreign.status_code, foreign.text) == (none.status_code, none.text) == (404, NOTHING)


STATES = {
    "disabled": "UPDATE account SET disabled_at = now() WHERE id = :id",
    "password to change": "UPDATE account SET must_change_password = true WHERE id = :id",
    "second factor to set up": "UPDATE role_rule SET second_factor_required = true",
    "ended": "UPDATE account_session SET ended_at = now(), ended_because = 'ended' WHERE account_id = :id",
    "expired": "UPDATE account_session SET expires_at = now() WHERE account_id = :id",
}
BACK = (
    "UPDATE account SET disabled_at = NULL, must_change_password = false WHERE id = :id",
    "UPDATE role_rule SET second_factor_required = false",
)


@pytest.mark.parametrize("state", [*STATES, "nobody", "forged"])
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("path", [path for path, rule in RULES.items() if rule.is_private])
def test_nobody_else_gets_anything(
    client: TestClient,
    people: dict[Role, int],
    ids: dict[int, dict[str, str]],
    path: str,
    role: Role,
    state: str,
) -> None:
    account_id, address = people[role], RULES[path].address(ids[OWN])
    headers = {} if state == "nobody" else cookies(account_id)
    if state == "forged":
        headers["Cookie"] = headers["Cookie"][:-4] + "AAAA"
    before = run(
        "SELECT count(*) FROM audit_log WHERE action IN ('export', 'document download', 'export audit log')"
    )
    try:
        if state in STATES:
            run(STATES[state], **({"id": account_id} if ":id" in STATES[state] else {}))
        answer = client.get(address, headers=headers)
        assert (answer.status_code, answer.text) == (404, NOTHING)
        assert (
            run(
                "SELECT count(*) FROM audit_log WHERE action IN ('export', 'document download', 'export audit log')"
            )
            == before
        )
    finally:
        for statement in BACK:
            run(statement, **({"id": account_id} if ":id" in statement else {}))


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
