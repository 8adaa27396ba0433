"""Rights to write, in the database itself: a service that forgets to check a right still changes nothing."""

from collections.abc import Mapping

import pytest
from sqlalchemy import text

from db.connections.engine import viewer_transaction
from services.connections.kinds import new_key
from services.errors import NotAllowed
from tests.support import factories
from tests.support.factories import document, item

# One statement per right of the app's role. The last two groups are for refund operators.
UPDATES = {
    "orders": "UPDATE orders SET email = 'x@example.com'",
    "subscription": "UPDATE subscription SET status = 'cancelled', changed_by = 'x'",
}
INSERTS = {
    "order_history": (
        "INSERT INTO order_history (order_id, checkout_page_id, kind, text, source, account_id, author) "
        "SELECT {order}, {store}, 'note', 'x', '{source}', {account}, 'x'"
    ),
    "subscription_event": (
        "INSERT INTO subscription_event (checkout_page_id, subscription_id, action, from_status, to_status, order_id, "
        "account_id, changed_by) SELECT {store}, 'S1', 'cancel', 'active', 'cancelled', {order}, {account}, 'x'"
    ),
    "refund_request": (
        "INSERT INTO refund_request (order_id, checkout_page_id, reason, requested_by, requester_name, requester_email)"
        " SELECT {order}, {store}, 'x', {account}, 'x', 'x'"
    ),
}
REFUND_UPDATES = {
    "order_item": "UPDATE order_item SET refunded = true",
    "activation_code": "UPDATE activation_code SET deleted = true",
    "refund_request": "UPDATE refund_request SET note = 'x'",
}
REFUND_INSERTS = {
    "order_document": (
        "INSERT INTO order_document (order_id, checkout_page_id, name, kind, media_type, content, source) "
        "SELECT {order}, {store}, 'x', 'refund', 'application/pdf', '', '{source}'"
    ),
    "refund_request_item": "INSERT INTO refund_request_item (refund_request_id, order_id, checkout_page_id, position) "
    "SELECT 100 + {order}, {order}, {store}, 1",
}


@pytest.fixture(scope="module")
def people(database: str) -> Mapping[str, int]:
    for number, store in enumerate(("shop-a", "shop-b"), 1):
        factories.take_in(
            document(
                order_id=number,
                checkout_page=store,
                items=[
                    item(
                        activation_codes=[{"code": "C"}],
                        subscription={"id": "S1", "type": "AR", "status": "active"},
                    )
                ],
            )
        )
    people = {
        "specialist": factories.account("specialist", stores=["shop-a"]),
        "analyst": factories.account("analyst", role="analyst", stores=["shop-a"]),
        "operator": factories.account("operator", role="refund_operator", stores=["shop-a"]),
        "disabled": factories.account("disabled", role="refund_operator", stores=["shop-a"]),
    }
    factories.run("UPDATE account SET disabled_at = now() WHERE name = 'disabled'")
    factories.run(
        "INSERT INTO refund_request (id, order_id, checkout_page_id, status, result, closed_at, reason, "
        "requester_name, requester_email) OVERRIDING SYSTEM VALUE "
        "SELECT 100 + order_id, order_id, checkout_page_id, 'refused', 'refused', now(), 'r', 'n', 'e' FROM orders"
    )
    return people


def rows_changed(account_id: int, statement: str) -> int:
    """The number of rows that the statement changes for this account; the change is rolled back."""
    with viewer_transaction(account_id) as connection:
        point = connection.begin_nested()
        number = connection.execute(text(statement)).rowcount
        point.rollback()
        return number


def rows_changed_or_refused(account_id: int, statement: str) -> int:
    """The same; 0 also where the database refuses the statement: a specialist replaces codes, and does nothing else."""
    try:
        return rows_changed(account_id, statement)
    except NotAllowed:
        return 0


def filled(statement: str, account_id: int, *, order: int = 1, source: str = "portal") -> str:
    store = {1: store_id("shop-a"), 2: store_id("shop-b")}[order]
    return statement.format(order=order, store=store, account=account_id, source=source)


def store_id(store: str) -> int:
    [[identity]] = factories.run("SELECT id FROM checkout_page WHERE name = :store", store=store)
    return int(identity)


@pytest.mark.parametrize("statement", [*UPDATES.values(), *REFUND_UPDATES.values()])
def test_updates_reach_rows_in_scope_of_roles_that_may_write(
    statement: str, people: Mapping[str, int]
) -> None:
    is_for_all = statement in UPDATES.values()
    assert {name: rows_changed_or_refused(people[name], statement) for name in people} == {
        "specialist": 1 if is_for_all else 0,
        "operator": 1,
        "analyst": 0,
        "disabled": 0,
    }


@pytest.mark.parametrize("statement", [*INSERTS.values(), *REFUND_INSERTS.values()])
@pytest.mark.parametrize("name", ["specialist", "analyst", "operator", "disabled"])
def test_rows_are_added_in_scope_by_roles_that_may_write(
    statement: str, name: str, people: Mapping[str, int]
) -> None:
    is_for_all = statement in INSERTS.values()
    may = name == "operator" or (name == "specialist" and is_for_all)
    own = filled(statement, people[name])
    if may:
        assert rows_changed(people[name], own) == 1
    else:
        with factories.refused_by_the_database():
            rows_changed(people[name], own)
    with factories.refused_by_the_database():
        rows_changed(people[name], filled(statement, people[name], order=2))


@pytest.mark.parametrize("statement", INSERTS.values(), ids=INSERTS)
def test_nobody_adds_a_row_in_another_persons_name(statement: str, people: Mapping[str, int]) -> None:
    with factories.refused_by_the_database():
        rows_changed(people["specialist"], filled(statement, people["operator"]))


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("specialist", INSERTS["order_history"]),
        ("operator", REFUND_INSERTS["order_document"]),
    ],
)
def test_nobody_adds_a_line_that_looks_like_the_shops(
    name: str, statement: str, people: Mapping[str, int]
) -> None:
    with factories.refused_by_the_database():
        rows_changed(people[name], filled(statement, people[name], source="shop"))


def test_waiting_mails_are_visible_in_scope_only(people: Mapping[str, int]) -> None:
    for order, store in ((1, "shop-a"), (2, "shop-b")):
        factories.run(
            "INSERT INTO mail (message_id, kind, subject, text_body, order_id, checkout_page_id, position, number) "
            "VALUES (:id, 'licence', 's', 't', :order, :page, 1, 1)",
            id=f"<{order}@x>", order=order, page=store_id(store),
        )  # fmt: skip
    statement = text("SELECT order_id FROM waiting_licence_mails(ARRAY[1, 2])")
    with viewer_transaction(people["analyst"]) as connection:
        assert connection.execute(statement).scalars().all() == [1]
    with viewer_transaction(people["disabled"]) as connection:
        assert connection.execute(statement).scalars().all() == []


ADMINISTRATION = (
    "UPDATE account SET role = 'administrator'",
    "UPDATE account SET all_stores = true",
    "UPDATE account SET password_hash = 'x'",
    "UPDATE account SET disabled_at = NULL",
    "UPDATE account_session SET ended_at = now(), ended_because = 'ended'",
    "UPDATE team SET name = 'x' || id",
    "UPDATE checkout_page SET delivery_allowed = true",
    "DELETE FROM team",
    "DELETE FROM team_member",
    "DELETE FROM team_page",
    "DELETE FROM account_page",
    "UPDATE connection SET out_url = 'https://shop.example'",
    "DELETE FROM connection",
    "UPDATE connection_secret SET valid_until = now()",
    "UPDATE inbox SET attempts = 0",
)


@pytest.mark.parametrize("statement", ADMINISTRATION)
def test_administration_is_for_administrators(statement: str, people: Mapping[str, int]) -> None:
    factories.run("INSERT INTO team (name) VALUES (gen_random_uuid()::text)")
    factories.run("INSERT INTO team_member SELECT max(t.id), 1 FROM team t")
    factories.run("INSERT INTO team_page SELECT max(t.id), 1 FROM team t")
    factories.run(
        "INSERT INTO account_session (token_digest, account_id, expires_at) "
        "SELECT sha256(gen_random_uuid()::text::bytea), 1, now() + interval '1 hour'"
    )
    factories.run(
        "INSERT INTO connection (checkout_page_id, kind, name, key, switched_off_at, switched_off_because) "
        "SELECT id, 'webhooks', 'x', :key, now(), 'x' FROM checkout_page WHERE name = 'shop-a'",
        key=new_key(),
    )
    factories.run(
        "INSERT INTO connection_secret (connection_id, purpose, secret) SELECT max(id), 'in', 'x' FROM connection"
    )
    factories.run("INSERT INTO inbox (event_id, type, body) VALUES (gen_random_uuid()::text, 'x', '{}')")
    [[has_admin]] = factories.run("SELECT count(*) FROM account WHERE name = 'admin'")
    admin = (
        factories.account("admin", role="administrator")
        if not has_admin
        else factories.signed_in(factories.run("SELECT id FROM account WHERE name = 'admin'")[0][0])
    )
    assert {name: rows_changed(people[name], statement) for name in people} == dict.fromkeys(people, 0)
    assert rows_changed(admin, statement) > 0


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO account (email, name, role, password_hash) VALUES ('x@example.com', 'x', 'administrator', 'x')",
        "INSERT INTO team (name) VALUES ('mine')",
        "INSERT INTO account_page SELECT 1, 2",
        "INSERT INTO team_member SELECT 1, 1",
        "INSERT INTO checkout_page (name) VALUES ('mine')",
        "INSERT INTO connection (checkout_page_id, kind, name, key) VALUES (1, 'stripe', 'x', 'c_' || repeat('x', 22))",
        "INSERT INTO connection_secret (connection_id, purpose, secret) VALUES (1, 'in', 'x')",
    ],
)
def test_nobody_else_adds_accounts_or_grants(statement: str, people: Mapping[str, int]) -> None:
    for account_id in people.values():
        with factories.refused_by_the_database():
            rows_changed(account_id, statement)
