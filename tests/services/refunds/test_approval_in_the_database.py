"""What the application's role cannot do by SQL, whatever the services forget: four eyes and the second approval."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.connections.engine import viewer_transaction
from db.errors import SqlState, sqlstate
from services.refunds.processing import fulfil_request
from tests.services.refunds.deciding import decided, request, send_back, set_rules
from tests.services.refunds.support import order, requested
from tests.support.factories import act, refused_by_the_database, run

COMPLETE = (
    "INSERT INTO refund_request_item (refund_request_id, order_id, checkout_page_id, position, quantity, amount) "
    "SELECT id, order_id, checkout_page_id, 1, 1, cast(:amount AS numeric) FROM refund_request WHERE id = :id;"
    "UPDATE refund_request SET status = 'completed', result = 'full', amount = :amount, currency = 'EUR', "
    "closed_by = viewer_id(), closed_by_name = 'x', closed_at = now(), delete_codes = true, stop_subscriptions = true"
    "{more} WHERE id = :id"
)
APPROVE = (
    "UPDATE refund_request SET approved_by = {by}, approved_by_name = 'x', approved_at = now() WHERE id = :id"
)
DECIDE = (
    "UPDATE refund_request SET decision = cast(:decision AS jsonb), decided_by = {by}, decided_by_name = 'x', "
    "decided_at = now() WHERE id = :id"
)
DECISION = {
    "currency": "EUR", "amount": "10.00", "delete_codes": True, "stop_renewal": True,
    "items": [{"position": 1, "quantity": 1, "amount": "10.00", "part": ""}],
}  # fmt: skip
RECORD = (
    "INSERT INTO awaited_action (id, order_id, checkout_page_id, kind, subject, wish, account_id, account_name, "
    "account_email) SELECT gen_random_uuid(), order_id, checkout_page_id, 'refund', id::text, "
    "cast(:wish AS jsonb), viewer_id(), 'x', 'x' FROM refund_request WHERE id = :id"
)


@pytest.fixture(autouse=True)
def rules(people: dict[str, int]) -> Iterator[None]:
    set_rules(limits={"EUR": "5.00"})
    yield
    set_rules()


def execute(account_id: int, statements: str, **values: object) -> None:
    """Each statement by itself, in one transaction of the viewer."""
    with viewer_transaction(account_id) as connection:
        for statement in statements.split(";"):
            wanted = {name: value for name, value in values.items() if f":{name}" in statement}
            connection.execute(text(statement), wanted)


@contextmanager
def refused(request_id: int) -> Iterator[None]:
    before = request(request_id)
    with pytest.raises(DBAPIError) as refusal:
        yield
    assert sqlstate(refusal.value) == SqlState.REFUND_RULES, refusal.value
    assert request(request_id) == before
    assert run("SELECT count(*) FROM awaited_action WHERE subject = :id", id=str(request_id)) == [(0,)]


def test_nobody_completes_above_the_limit_alone(people: dict[str, int]) -> None:
    taken = requested(people, order(), taken_by="rita")
    for by in ("rita", "otto", "admin"):
        with refused(taken):
            execute(people[by], COMPLETE.format(more=""), id=taken, amount="10.00")
    execute(people["rita"], COMPLETE.format(more=""), id=taken, amount="5.00")


def test_a_decision_is_approved_by_somebody_else_and_in_their_own_name(people: dict[str, int]) -> None:
    waiting = decided(people)
    rita, otto = int(people["rita"]), int(people["otto"])
    for by, name in (("rita", rita), ("rita", otto), ("otto", rita), ("otto", int(people["admin"]))):
        with refused(waiting):
            execute(people[by], APPROVE.format(by=name), id=waiting)
    with refused(waiting):  # decided by somebody else's name, to be the second oneself
        execute(people["rita"], DECIDE.format(by=otto), id=waiting, decision=json.dumps(DECISION))
    with refused(waiting):  # decided and approved in one
        execute(
            people["otto"],
            DECIDE.format(by=otto).replace(
                "decided_at", "approved_by_name = 'x', approved_at = now(), decided_at"
            ),
            id=waiting,
            decision=json.dumps(DECISION | {"amount": "9.00"}),
        )
    with refused(waiting):
        execute(people["rita"], COMPLETE.format(more=""), id=waiting, amount="10.00")
    execute(people["otto"], APPROVE.format(by=otto), id=waiting)
    with refused(waiting):  # approved, and the one who decided completes
        execute(people["rita"], COMPLETE.format(more=""), id=waiting, amount="10.00")


def test_what_is_carried_out_is_what_was_approved(people: dict[str, int]) -> None:
    waiting, otto = decided(people), int(people["otto"])
    approved = APPROVE.format(by=otto) + ";"
    for amount, more in (("9.00", ""), ("10.00", ", delete_codes = false")):
        statements = COMPLETE.format(more="")
        if more:
            statements = statements.replace("delete_codes = true", "delete_codes = false")
        with refused(waiting):
            execute(people["otto"], approved + statements, id=waiting, amount=amount)
    with refused(waiting):
        execute(people["otto"], approved + RECORD, id=waiting, wish=json.dumps(DECISION | {"amount": "9.00"}))
    execute(people["otto"], approved + COMPLETE.format(more=""), id=waiting, amount="10.00")
    assert request(waiting).status == "completed"


def test_a_refund_is_not_recorded_for_a_shop_past_the_second_operator(people: dict[str, int]) -> None:
    for waiting in (requested(people, order(), taken_by="rita"), decided(people)):
        for by in ("rita", "otto"):
            with refused(waiting):
                execute(people[by], RECORD, id=waiting, wish=json.dumps(DECISION))


def test_a_requester_neither_fulfils_nor_approves(people: dict[str, int]) -> None:
    waiting = decided(people)
    run("UPDATE refund_request SET requested_by = :otto WHERE id = :id", otto=int(people["otto"]), id=waiting)
    with refused(waiting):
        execute(people["otto"], APPROVE.format(by=int(people["otto"])), id=waiting)
    set_rules(four_eyes=True)
    own = requested(people, order(), taken_by="rita")
    run("UPDATE refund_request SET requested_by = :rita WHERE id = :id", rita=int(people["rita"]), id=own)
    with refused(own):
        execute(people["rita"], COMPLETE.format(more=""), id=own, amount="1.00")
    with refused(own):
        execute(people["rita"], RECORD, id=own, wish=json.dumps(DECISION | {"amount": "1.00"}))
    with refused(own):  # in another's name
        execute(
            people["rita"],
            COMPLETE.format(more="").replace("viewer_id()", str(int(people["otto"]))),
            id=own,
            amount="1.00",
        )


def test_who_requested_and_the_rules_of_the_store_are_not_theirs_to_change(people: dict[str, int]) -> None:
    waiting = decided(people)
    with refused_by_the_database():
        execute(people["otto"], "UPDATE refund_request SET requested_by = NULL WHERE id = :id", id=waiting)
    for by in ("rita", "anna"):  # no row is theirs to change
        execute(people[by], "UPDATE checkout_page SET refund_approval_limits = NULL, refund_four_eyes = true")
    [rules] = run("SELECT refund_approval_limits, refund_four_eyes FROM checkout_page WHERE name = 'shop-a'")
    assert tuple(rules) == ({"EUR": "5.00"}, False)


def test_a_limit_lowered_after_the_dialog_was_shown_counts(people: dict[str, int]) -> None:
    set_rules(limits={"EUR": "100"})
    taken = requested(people, order(), taken_by="rita")
    set_rules(limits={"EUR": "9"})
    sentence = act(
        people["rita"], fulfil_request, taken, positions=[1], expected_amount=Decimal("10.00"), delete_codes=True,
        stop_renewal=True, note="x",
    )  # fmt: skip
    assert "second operator" in sentence
    send_back(people, "otto", taken)
