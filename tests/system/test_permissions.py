"""Who may call what: every public function with a viewer × every role × own and foreign orders × disabled accounts.

The functions are found in the code: one that is not in the table below fails this test.
"""

import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection

import services
from db.connections.engine import viewer_transaction
from services.access import Role, Viewer
from services.actions import ActionRequest, ActionResult, perform
from services.connections.kinds import new_key
from services.connections.secrets import new_secret
from services.errors import NotAllowed, NotFound
from tests.support import factories
from tests.support.factories import document, item, run
from tests.system.internal_functions import INTERNAL
from tests.system.permission_rules import AWAITED, DECIDED_AT, FOREIGN, OWN, RULES, empty


class Undone(Exception):
    """Ends a transaction whose changes are not wanted."""


def public_functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if module.name.endswith("__main__"):
            continue
        imported = importlib.import_module(module.name)
        for name, function in inspect.getmembers(imported, inspect.isfunction):
            is_ours = function.__module__ == imported.__name__ and not name.startswith("_")
            if is_ours and "viewer" in inspect.signature(function).parameters:
                yield f"{module.name.removeprefix('services.')}.{name}", function


FUNCTIONS = dict(public_functions())


def test_every_function_that_takes_a_viewer_is_in_the_table() -> None:
    assert set(FUNCTIONS) == set(RULES) | INTERNAL
    assert not set(RULES) & INTERNAL


def test_every_function_that_returns_an_action_result_is_an_action() -> None:
    returning = {
        name
        for name, function in FUNCTIONS.items()
        if inspect.signature(function).return_annotation is ActionResult
    }
    assert returning == {name for name, function in FUNCTIONS.items() if hasattr(function, "audit_action")}


@pytest.fixture(scope="module")
def people(database: str) -> dict[Role, int]:
    for order_id, store in ((OWN, "shop-a"), (FOREIGN, "shop-b")):
        subscription = {"id": "S1", "type": "AR", "status": "active"}
        factories.take_in(
            document(
                order_id=order_id,
                checkout_page=store,
                items=[
                    item(activation_codes=[{"code": "CODE"}], subscription=subscription),
                    item(item_id="b", subscription=subscription | {"id": "S2", "status": "cancelled"}),
                ],
                documents=[{"name": "x.pdf", "kind": "payment", "content_base64": "JVBERg=="}],
            )
        )
        factories.take_in(
            document(
                order_id=order_id + 10,
                checkout_page=store,
                status="not paid",
                pay_date=None,
                customer={"email": "unpaid@example.com"},
            )
        )
    return {role: factories.account(role, role=role, stores=["shop-a"]) for role in Role}


def make_connections(store: int) -> dict[str, int]:
    """A connection of the store, one that is switched off, and a message of the first."""
    on, off_connection = (
        run(
            "INSERT INTO connection (checkout_page_id, kind, name, key, switched_off_at, switched_off_because) "
            "VALUES (:store, 'webhooks', 'x', :key, CASE WHEN :off THEN now() END, CASE WHEN :off THEN 'x' END) "
            "RETURNING id",
            store=store,
            key=new_key(),
            off=is_off,
        )[0][0]
        for is_off in (False, True)
    )
    run(
        "UPDATE connection SET topics = '{licences}', confirms = true, out_url = 'https://x.example/' WHERE id = :id",
        id=on,
    )
    run(
        "INSERT INTO connection_secret (connection_id, purpose, secret) VALUES (:id, 'in', :secret)",
        id=on,
        secret=new_secret(),
    )
    [[message]] = run(
        "INSERT INTO inbox (connection_id, event_id, type, body, state, settled_at) "
        "VALUES (:id, 'm', 'x', '{}', 'refused', now()) RETURNING id",
        id=on,
    )
    run(
        "INSERT INTO awaited_action (id, connection_id, order_id, checkout_page_id, kind, subject, wish, account_name, "
        "account_email) VALUES (:id, :connection, :order, :store, 'cancel subscription', 'S9', '{}', 'n', 'e')",
        id=AWAITED,
        connection=on,
        order=OWN,
        store=store,
    )
    return {"connection": on, "off_connection": off_connection, "message": message}


@pytest.fixture(scope="module")
def target(people: dict[Role, int]) -> dict[int, dict[str, int]]:
    """What stands for either order, and the things that belong to none."""
    run("INSERT INTO team (name) VALUES ('A team')")
    run(
        "INSERT INTO mail (message_id, kind, to_address, subject, text_body) "
        "VALUES ('<1@x>', 'refund', 'a@x.example', 's', 't')"
    )
    [[team]], [[mail]] = run("SELECT id FROM team"), run("SELECT id FROM mail")
    [[store]] = run("SELECT id FROM checkout_page WHERE name = 'shop-a'")
    for account_id in people.values():
        run("INSERT INTO team_member VALUES (:team, :id)", team=team, id=account_id)
    author = factories.account("author")
    [[view]] = run(
        "INSERT INTO order_view (account_id, team_id, name, filters) VALUES (:author, :team, 'v', :empty) RETURNING id",
        author=author, team=team, empty='{"zone": "UTC", "fields": {}}',
    )  # fmt: skip
    off = factories.account("off")
    run("UPDATE account SET disabled_at = now() WHERE id = :id", id=off)
    second = factories.account("second")
    run("UPDATE account SET totp_secret = repeat('A', 32) WHERE id = :id", id=second)
    run("INSERT INTO single_sign_on_identity (account_id, issuer, subject) VALUES (:id, 'i', 's')", id=second)
    locked = factories.account("locked")
    run("UPDATE account SET locked_until = now() + interval '1 hour' WHERE id = :id", id=locked)
    common = {
        **make_connections(store),
        "locked": locked,
        "second": second,
        "team": team,
        "view": view,
        "mail": mail,
        "store": store,
        "account": factories.account("somebody"),
        "off": off,
    }
    made = {}
    for order_id in (OWN, FOREIGN):
        [[code]] = run("SELECT id FROM activation_code WHERE order_id = :id", id=order_id)
        [[paper]] = run("SELECT id FROM order_document WHERE order_id = :id", id=order_id)
        made[order_id] = common | {
            "order": order_id,
            "unpaid": order_id + 10,
            "code": code,
            "document": paper,
        }
    return made


@pytest.fixture
def requests(
    target: dict[int, dict[str, int]], people: dict[Role, int], request: pytest.FixtureRequest
) -> Iterator[None]:
    """A refund request of either order, taken by whoever is asked about or by nobody."""
    for order_id, ids in target.items():
        run(
            "INSERT INTO refund_request (order_id, checkout_page_id, reason, requester_name, requester_email) "
            "SELECT order_id, checkout_page_id, 'r', 'n', 'n@example.com' FROM orders WHERE order_id = :id",
            id=order_id,
        )
        [[ids["request"]]] = run("SELECT max(id) FROM refund_request WHERE order_id = :id", id=order_id)
        ids["taken"] = ids["request"]
    yield
    run("DELETE FROM refund_request")


def taken_by(account_id: int) -> None:
    run(
        "UPDATE refund_request SET status = 'updating', taken_by = :id, taken_by_name = 'x', taken_at = now()",
        id=account_id,
    )


def decided_by(account_id: int) -> None:
    run(
        "UPDATE refund_request SET decision = cast(:decision AS jsonb), decided_by = :id, decided_by_name = 'x', "
        "decided_at = :at",
        id=account_id,
        at=DECIDED_AT,
        decision=json.dumps(
            {
                "currency": "EUR", "amount": "10.00", "delete_codes": True, "stop_renewal": True,
                "items": [{"position": 1, "quantity": 1, "amount": "10.00", "part": ""}],
            }
        ),
    )  # fmt: skip


def outcome(
    function: Callable[..., Any], asks: Viewer, arguments: tuple[Any, ...], named: dict[str, Any]
) -> type[Exception] | None:
    """Calls it in a transaction whose changes are undone; the error that it raised, if any."""

    def work(connection: Connection) -> Any:
        result = function(connection, asks, *arguments, **named)
        return list(result) if inspect.isgenerator(result) else result

    try:
        with viewer_transaction(asks.account_id) as connection:
            work(connection)
            raise Undone
    except Undone:
        return None
    except (NotAllowed, NotFound) as error:
        return type(error)


@pytest.mark.usefixtures("requests")
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("name", RULES)
def test_who_may(name: str, role: Role, people: dict[Role, int], target: dict[int, dict[str, int]]) -> None:
    rule, function, asks = RULES[name], FUNCTIONS[name], factories.viewer(people[role])
    if "taken" in rule.arguments(target[OWN])[0] or name.split(".")[-1] in (
        "release_request", "fulfil_request", "refuse_request", "fail_request",
    ):  # fmt: skip
        taken_by(asks.account_id)
    elif name.startswith("refunds.approval."):
        taken_by(target[OWN]["second"])
        decided_by(asks.account_id if name.endswith("withdraw_decision") else target[OWN]["second"])
    elif name == "refunds.requests.request_refund":
        run("DELETE FROM refund_request")
    before = factories.everything()
    arguments, named = rule.arguments(target[OWN])
    error = outcome(function, asks, arguments, named)
    if role in rule.roles:
        assert error is None
    else:
        assert error is not None and issubclass(error, NotAllowed)
    if rule.is_scoped and role is not Role.ADMINISTRATOR:
        arguments, named = rule.arguments(target[FOREIGN])
        error = outcome(function, asks, arguments, named)
        assert error is not None and issubclass(error, NotFound)
    assert factories.everything() == before


@pytest.mark.usefixtures("requests")
@pytest.mark.parametrize("role", list(Role))
def test_a_disabled_account_may_nothing_with_a_viewer_from_before(
    role: Role, people: dict[Role, int], target: dict[int, dict[str, int]]
) -> None:
    asks = factories.viewer(people[role])
    if not run("SELECT 1 FROM account WHERE name = 'spare'"):  # the last administrator cannot be disabled
        factories.account("spare", role="administrator")
    run("UPDATE account SET disabled_at = now() WHERE id = :id", id=asks.account_id)
    try:
        before = factories.everything()
        for name, rule in RULES.items():
            function = FUNCTIONS[name]
            arguments, named = rule.arguments(target[OWN])
            if hasattr(function, "audit_action"):
                with pytest.raises((NotAllowed, NotFound)):
                    perform(asks, ActionRequest(key=uuid4(), address=None), function, *arguments, **named)
        with viewer_transaction(asks.account_id) as connection:
            page = FUNCTIONS["orders.search.find_orders"](connection, asks, empty())
            assert page.rows == ()
            with pytest.raises(NotFound):
                FUNCTIONS["orders.detail.get_order"](connection, asks, OWN)
        assert factories.everything() == before
    finally:
        run("UPDATE account SET disabled_at = NULL WHERE id = :id", id=asks.account_id)
