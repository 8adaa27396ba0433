"""Who may call what: every public function with a viewer × every role × own and foreign orders × disabled accounts.

The functions are found in the code: one that is not in the table below fails this test.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection

import services
from db.connections.engine import viewer_transaction
from services.access import Role, Viewer
from services.accounts.administration import Grants
from services.actions import ActionRequest, ActionResult, perform
from services.audit.log import AuditFilter
from services.errors import NotAllowed, NotFound
from services.exports.columns import ExportRows
from services.exports.runs import RunState
from services.orders.filters import OrderFilter
from services.privacy.erasure import Part
from services.refunds.queue import QueueView
from tests.support import factories
from tests.support.factories import document, item, run

EVERYBODY = frozenset(Role)
ACTING = EVERYBODY - {Role.ANALYST}
OPERATORS = frozenset({Role.REFUND_OPERATOR, Role.ADMINISTRATOR})
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
UTC = ZoneInfo("UTC")
OWN, FOREIGN = 1, 2


class Undone(Exception):
    """Ends a transaction whose changes are not wanted."""


@dataclass(frozen=True)
class Rule:
    """Who may, and how it is called: `arguments` are made from what stands for the order (its ID, its code's, …)."""

    roles: frozenset[Role]
    arguments: Callable[[dict[str, int]], tuple[tuple[Any, ...], dict[str, Any]]]
    # Whether it is about one order, so that a foreign one is like none.
    is_scoped: bool = False


def call(*names: str, **named: Any) -> Callable[[dict[str, int]], tuple[tuple[Any, ...], dict[str, Any]]]:
    """Arguments by what they stand for; named ones that are such a name are looked up as well."""

    def made(target: dict[str, int]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        looked_up = {
            key: target[value] if isinstance(value, str) and value in target else value
            for key, value in named.items()
        }
        return tuple(target[name] for name in names), looked_up

    return made


def given(
    *arguments: Any, **named: Any
) -> Callable[[dict[str, int]], tuple[tuple[Any, ...], dict[str, Any]]]:
    return lambda _: (arguments, named)


def empty() -> OrderFilter:
    return OrderFilter.empty(UTC)


# No export of anybody's: whose they are is what tests/services/exports/test_runs.py is about.
RUN = uuid4()
GRANTS = Grants(Role.ANALYST)
STORE = {
    "title": "x", "delivery_allowed": True, "refund_again_after_partial": False, "time_zone": None,
    "refund_document_methods": None,
}  # fmt: skip
TEAM = {"name": "x", "members": [], "stores": []}
NOTE = {"note": "x"}
FULFIL = NOTE | {"positions": [1], "expected_amount": Decimal(10), "delete_codes": True, "stop_renewal": True}

RULES = {
    # Orders: what somebody sees.
    "orders.detail.get_order": Rule(EVERYBODY, call("order"), True),
    "orders.detail.check_order": Rule(EVERYBODY, call("order"), True),
    "orders.detail.get_orders": Rule(EVERYBODY, given([OWN])),
    "orders.documents.get_document": Rule(EVERYBODY, call("document", address=None), True),
    "orders.search.find_orders": Rule(EVERYBODY, given(empty())),
    "orders.search.count_orders": Rule(EVERYBODY, given(empty())),
    "orders.search.missing_ids": Rule(EVERYBODY, given(empty())),
    "exports.csv_file.export_orders": Rule(EVERYBODY, given(empty(), rows=ExportRows.ORDER, zone=UTC)),
    "exports.workbook.export_workbook": Rule(EVERYBODY, given(empty(), rows=ExportRows.ORDER, zone=UTC)),
    "exports.runs.record_export": Rule(EVERYBODY, given(empty(), rows=ExportRows.ORDER, address=None)),
    "exports.runs.begin_run": Rule(EVERYBODY, given(None, rows=ExportRows.ORDER, ending="csv")),
    "exports.runs.estimate_run": Rule(EVERYBODY, given(RUN, empty())),
    "exports.runs.touch_run": Rule(EVERYBODY, given(RUN, rows_sent=1, bytes_sent=1)),
    "exports.runs.end_run": Rule(EVERYBODY, given(RUN, RunState.DONE, rows_sent=1, bytes_sent=1)),
    "exports.runs.request_cancel": Rule(EVERYBODY, given(RUN)),
    "exports.runs.find_run": Rule(EVERYBODY, given(RUN)),
    "orders.saved_searches.save_search": Rule(EVERYBODY, given(empty())),
    "reports.get_report": Rule(EVERYBODY, given(empty())),
    "refunds.requests.find_own_requests": Rule(EVERYBODY, given()),
    "refunds.queue.count_open": Rule(EVERYBODY, given()),
    "accounts.profile.find_own_sessions": Rule(EVERYBODY, given(token="x")),
    # Orders: what somebody does.
    "refunds.requests.request_refund": Rule(ACTING, call("order", reason="x"), True),
    "order_actions.licences.resend_licence": Rule(ACTING, call("order", code_id="code"), True),
    "order_actions.customer_email.correct_email": Rule(
        ACTING, call("order", email="x@example.com", expected="ines@example.com"), True
    ),
    "order_actions.notes.add_note": Rule(ACTING, call("order", text="x"), True),
    "order_actions.subscriptions.cancel_subscription": Rule(ACTING, call("order", position=1), True),
    "order_actions.subscriptions.resume_subscription": Rule(ACTING, call("order", position=2), True),
    "order_actions.locking.lock_order": Rule(ACTING, call("order"), True),
    # The refund queue.
    "refunds.queue.find_queue": Rule(OPERATORS, given(QueueView.OPEN)),
    "refunds.processing.take_request": Rule(OPERATORS, call("request"), True),
    "refunds.processing.release_request": Rule(OPERATORS, call("taken"), True),
    "refunds.processing.fulfil_request": Rule(OPERATORS, call("taken", **FULFIL), True),
    "refunds.processing.refuse_request": Rule(OPERATORS, call("taken", **NOTE), True),
    "refunds.processing.fail_request": Rule(OPERATORS, call("taken", **NOTE), True),
    # Administration.
    "accounts.sign_in_methods.require_for": Rule(ADMINISTRATORS, given(roles=frozenset())),
    "accounts.sign_in_methods.reset_second_factor": Rule(ADMINISTRATORS, call("second")),
    "accounts.sign_in_methods.unbind_single_sign_on": Rule(ADMINISTRATORS, call("second")),
    "delivery.log.find_mails": Rule(ADMINISTRATORS, given()),
    "delivery.log.get_mail": Rule(ADMINISTRATORS, call("mail", address=None)),
    "delivery.log.send_again": Rule(ADMINISTRATORS, call("mail")),
    "accounts.listing.find_accounts": Rule(ADMINISTRATORS, given()),
    "accounts.listing.get_account": Rule(ADMINISTRATORS, call("account")),
    "accounts.administration.create_account": Rule(
        ADMINISTRATORS, given(email="new@x.example", name="x", grants=GRANTS)
    ),
    "accounts.administration.change_account": Rule(ADMINISTRATORS, call("account", name="x", grants=GRANTS)),
    "accounts.administration.reset_password": Rule(ADMINISTRATORS, call("account")),
    "accounts.administration.disable_account": Rule(ADMINISTRATORS, call("account")),
    "accounts.administration.enable_account": Rule(ADMINISTRATORS, call("off")),
    "accounts.administration.unlock_account": Rule(ADMINISTRATORS, call("locked")),
    "accounts.administration.end_sessions": Rule(ADMINISTRATORS, call("account")),
    "accounts.csv_import.preview_accounts": Rule(
        ADMINISTRATORS, given(b"email,name,role\na@x.example,A,analyst\n")
    ),
    "accounts.csv_import.import_accounts": Rule(
        ADMINISTRATORS, given(b"email,name,role\na@x.example,A,analyst\n")
    ),
    "accounts.teams.find_teams": Rule(ADMINISTRATORS, given()),
    "accounts.teams.create_team": Rule(ADMINISTRATORS, given(**TEAM | {"name": "new"})),
    "accounts.teams.change_team": Rule(ADMINISTRATORS, call("team", **TEAM)),
    "accounts.teams.delete_team": Rule(ADMINISTRATORS, call("team")),
    "accounts.stores.find_stores": Rule(ADMINISTRATORS, given()),
    "accounts.stores.find_payment_methods": Rule(ADMINISTRATORS, given()),
    "accounts.stores.change_store": Rule(ADMINISTRATORS, call("store", **STORE)),
    "audit.log.find_audit": Rule(ADMINISTRATORS, given(AuditFilter(UTC, since=date(2026, 1, 1)))),
    "audit.log.find_actions": Rule(ADMINISTRATORS, given()),
    "audit.log.record_audit_export": Rule(ADMINISTRATORS, given(AuditFilter(UTC), address=None)),
    "audit.log.export_audit": Rule(ADMINISTRATORS, given(AuditFilter(UTC))),
    "privacy.erasure.preview_erasure": Rule(ADMINISTRATORS, given(email="ines@example.com")),
    "privacy.erasure.erase_personal_data": Rule(
        ADMINISTRATORS,
        given(email="ines@example.com", expected=dict.fromkeys((OWN, FOREIGN), Part.CUSTOMER)),
    ),
}
# What only other services call, after a function above has let somebody in; what is one's own; and what opens another
# transaction and has tests of its own.
INTERNAL = {
    "access.require_administrator", "actions.perform", "audit.recording.record",
    "audit.recording.record_refusal", "order_actions.history.add_event",
    "audit.log.seal_audit_filter", "audit.log.open_audit_filter",
    "order_actions.locking.lock_orders", "exports.columns.statement_of", "refunds.document.add_refund_document",
    "orders.search.stores_in_scope", "order_actions.subscriptions.stop_subscriptions",
    "orders.saved_searches.open_search",
    "authentication.second_factor.begin", "authentication.second_factor.confirm",
    "authentication.second_factor.remove", "authentication.second_factor.has_own",
    "authentication.second_factor.is_required", "authentication.second_factor.needs_password",
    "authentication.sessions.prove_password",
    "accounts.profile.change_own_password", "accounts.profile.end_own_session", "accounts.profile.set_own_time_zone",
}  # fmt: skip


def public_functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if module.name.endswith("__main__"):
            continue
        found = importlib.import_module(module.name)
        for name, function in inspect.getmembers(found, inspect.isfunction):
            is_ours = function.__module__ == found.__name__ and not name.startswith("_")
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
        carried = {"id": "S1", "type": "AR", "status": "active"}
        factories.take_in(
            document(
                order_id=order_id,
                checkout_page=store,
                items=[
                    item(activation_codes=[{"code": "CODE"}], subscription=carried),
                    item(item_id="b", subscription=carried | {"id": "S2", "status": "cancelled"}),
                ],
                documents=[{"name": "x.pdf", "kind": "payment", "content_base64": "JVBERg=="}],
            )
        )
    return {role: factories.account(role, role=role, stores=["shop-a"]) for role in Role}


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
    off = factories.account("off")
    run("UPDATE account SET disabled_at = now() WHERE id = :id", id=off)
    second = factories.account("second")
    run("UPDATE account SET totp_secret = repeat('A', 32) WHERE id = :id", id=second)
    run("INSERT INTO single_sign_on_identity (account_id, issuer, subject) VALUES (:id, 'i', 's')", id=second)
    locked = factories.account("locked")
    run("UPDATE account SET locked_until = now() + interval '1 hour' WHERE id = :id", id=locked)
    common = {
        "locked": locked,
        "second": second,
        "team": team,
        "mail": mail,
        "store": store,
        "account": factories.account("somebody"),
        "off": off,
    }
    made = {}
    for order_id in (OWN, FOREIGN):
        [[code]] = run("SELECT id FROM activation_code WHERE order_id = :id", id=order_id)
        [[paper]] = run("SELECT id FROM order_document WHERE order_id = :id", id=order_id)
        made[order_id] = common | {"order": order_id, "code": code, "document": paper}
    return made


@pytest.fixture
def requests(
    target: dict[int, dict[str, int]], people: dict[Role, int], request: pytest.FixtureRequest
) -> Iterator[None]:
    """A refund request of either order, taken by whoever is asked about or by nobody."""
    for order_id, known in target.items():
        run(
            "INSERT INTO refund_request (order_id, checkout_page_id, reason, requester_name, requester_email) "
            "SELECT order_id, checkout_page_id, 'r', 'n', 'n@example.com' FROM orders WHERE order_id = :id",
            id=order_id,
        )
        [[known["request"]]] = run("SELECT max(id) FROM refund_request WHERE order_id = :id", id=order_id)
        known["taken"] = known["request"]
    yield
    run("DELETE FROM refund_request")


def taken_by(account_id: int) -> None:
    run(
        "UPDATE refund_request SET status = 'updating', taken_by = :id, taken_by_name = 'x', taken_at = now()",
        id=account_id,
    )


def outcome(
    function: Callable[..., Any], asks: Viewer, arguments: tuple, named: dict
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
            found = FUNCTIONS["orders.search.find_orders"](connection, asks, empty())
            assert found.rows == ()
            with pytest.raises(NotFound):
                FUNCTIONS["orders.detail.get_order"](connection, asks, OWN)
        assert factories.everything() == before
    finally:
        run("UPDATE account SET disabled_at = NULL WHERE id = :id", id=asks.account_id)
