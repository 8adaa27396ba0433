"""Who gets what from the web server: every route × every role × own and foreign × what ends a session."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from db.connections.engine import viewer_transaction
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
