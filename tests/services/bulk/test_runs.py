"""Runs over many orders: begun once, each order done once, with the rights of now, readable by their owner alone."""

from threading import Event
from uuid import uuid4

import pytest

from db.connections.engine import jobs_transaction, viewer_transaction
from db.connections.viewers import SignedIn
from db.schema.bulk_states import BulkKind, BulkState
from services.actions import ActionRequest, perform
from services.bulk import working
from services.bulk.runs import RunNotFound, find_outcomes, find_runs, start_run, stop_run
from services.bulk.working import work_due
from services.errors import InvalidInput, NotAllowed
from services.refunds.requests import request_refund
from tests.services.bulk.support import finished, newest, notes, orders, outcomes, preview, start
from tests.support import factories
from tests.support.factories import act, history, item, mails, run


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, SignedIn]:
    factories.take_in(factories.document(order_id=1, checkout_page="shop-b"))
    return {
        "anna": factories.account("anna", stores=["shop-a", "shop-b"]),
        "berta": factories.account("berta", stores=["shop-a"]),
        "carla": factories.account("carla", role="analyst", stores=["shop-a"]),
    }


def test_each_order_has_its_own_request_history_and_audit_row(people: dict[str, SignedIn]) -> None:
    mine = orders(3)
    result = finished(people["anna"], BulkKind.REQUEST_REFUND, mine, text="the outage of 3 March")
    assert (result.state, result.done, result.left) == (BulkState.DONE, 3, 0)
    for order_id in mine:
        assert any("the outage of 3 March" in line for line in history(order_id))
        [row] = run("SELECT * FROM audit_log WHERE order_id = :id", id=order_id)
        assert (row.action, row.account_id, row.succeeded) == ("request refund", people["anna"], True)
        assert (row.address, row.details) == ("192.0.2.1", {"run": result.id})
        [[requester]] = run("SELECT requested_by FROM refund_request WHERE order_id = :id", id=order_id)
        assert requester == people["anna"]
    [[text]] = run("SELECT entered_text FROM bulk_run WHERE id = :id", id=result.id)
    assert text is None
    [[details]] = run(
        "SELECT details FROM audit_log WHERE action = 'start bulk run' ORDER BY id DESC LIMIT 1"
    )
    assert details == {"run": result.id, "action": "request refund", "orders": 3, "left out": 0}


def test_every_live_code_of_an_order_is_sent_under_one_key(people: dict[str, SignedIn]) -> None:
    codes = [{"code": "K-1"}, {"code": "K-2"}, {"code": "K-3", "deleted": True}]
    mine = orders(2, items=[item(activation_codes=codes), item(name="B", activation_codes=[{"code": "K-4"}])])
    finished(people["anna"], BulkKind.RESEND_LICENCES, mine)
    for order_id in mine:
        assert sorted(mail.number for mail in mails(order_id)) == [1, 1, 2]
        assert run("SELECT count(*) FROM action_key WHERE order_id = :id", id=order_id) == [(1,)]


def test_renewals_are_cancelled_and_resumed(people: dict[str, SignedIn]) -> None:
    def subscribed(number: int) -> int:
        parts = [{"id": f"R-{number}-{part}", "type": "AR", "status": "active"} for part in range(2)]
        return orders(1, items=[item(subscription=part) for part in parts])[0]

    mine = [subscribed(number) for number in range(3)]

    def states() -> set[str]:
        return {
            row[0] for row in run("SELECT status FROM subscription WHERE order_id = ANY (:ids)", ids=mine)
        }

    assert finished(people["anna"], BulkKind.CANCEL_RENEWAL, mine).done == 3
    assert states() == {"cancelled"}
    assert finished(people["anna"], BulkKind.RESUME_RENEWAL, mine, text="").done == 3
    assert states() == {"active"}


def test_a_second_press_begins_no_second_run(people: dict[str, SignedIn]) -> None:
    mine, key = orders(2), uuid4()
    first = start(people["anna"], BulkKind.ADD_NOTE, mine, text="twice?", key=key)
    assert start(people["anna"], BulkKind.ADD_NOTE, mine, text="twice?", key=key) == first
    assert first == "Started for 2 orders."
    work_due()
    work_due()
    assert notes(mine, "twice?") == dict.fromkeys(mine, 1)


def test_orders_that_could_not_be_done_are_filed_with_their_reasons_and_not_tried(
    people: dict[str, SignedIn],
) -> None:
    paid, [unpaid] = orders(2), orders(1, status="not paid", pay_date=None)
    seen = preview(people["anna"], BulkKind.REQUEST_REFUND, [*paid, unpaid])
    run("UPDATE orders SET status = 'paid', paid_at = now() WHERE order_id = :id", id=unpaid)
    start(people["anna"], BulkKind.REQUEST_REFUND, seen)
    work_due()
    result = newest(people["anna"])
    assert (result.done, result.refused, result.order_count) == (2, 1, 3)
    assert outcomes(people["anna"], result.id)[unpaid] == ("refused", "Only a Paid order can be refunded.")
    assert history(unpaid) == []


def test_an_order_that_has_changed_meanwhile_is_refused_and_the_others_are_done(
    people: dict[str, SignedIn],
) -> None:
    mine = orders(3)
    start(people["anna"], BulkKind.REQUEST_REFUND, mine)
    act(people["berta"], request_refund, mine[1], reason="faster")
    work_due()
    result = newest(people["anna"])
    assert (result.state, result.done, result.refused) == (BulkState.DONE, 2, 1)
    sentence = "A refund request for this order is being processed already."
    assert outcomes(people["anna"], result.id)[mine[1]] == ("refused", sentence)
    [row] = run(
        "SELECT details FROM audit_log WHERE order_id = :id AND NOT succeeded AND account_id = :account",
        id=mine[1],
        account=people["anna"],
    )
    assert row.details == {"reason": sentence, "run": result.id}
    assert run("SELECT count(*) FROM refund_request WHERE order_id = ANY (:ids)", ids=mine) == [(3,)]


def test_more_than_fifty_have_to_be_typed(people: dict[str, SignedIn]) -> None:
    seen = preview(people["anna"], BulkKind.ADD_NOTE, orders(51))
    request = ActionRequest(key=uuid4(), address=None)
    for typed in ("", "50", "all"):
        with pytest.raises(InvalidInput, match="51") as refusal:
            perform(factories.viewer(people["anna"]), request, start_run, seen, text="x", typed_number=typed)
        assert refusal.value.field == "number"
    perform(factories.viewer(people["anna"]), request, start_run, seen, text="x", typed_number=" 51 ")
    work_due()


def test_reasons_and_notes_are_checked_before_anything_begins(people: dict[str, SignedIn]) -> None:
    mine = orders(1)
    for kind, text in (
        (BulkKind.REQUEST_REFUND, " "),
        (BulkKind.ADD_NOTE, ""),
        (BulkKind.CANCEL_RENEWAL, "x" * 501),
    ):
        seen = preview(people["anna"], BulkKind.ADD_NOTE, mine)
        with pytest.raises(InvalidInput) as refusal:
            start(people["anna"], kind, type(seen)(kind, seen.able, {}, {}), text=text)
        assert refusal.value.field == "text"


def test_a_store_that_was_taken_away_is_out_of_reach_at_once(people: dict[str, SignedIn]) -> None:
    dora = factories.account("dora", stores=["shop-a", "shop-b"])
    [near], [far] = orders(1), orders(1, checkout_page="shop-b")
    start(dora, BulkKind.ADD_NOTE, [near, far], text="scope")
    run(
        "DELETE FROM account_page WHERE account_id = :id AND checkout_page_id = "
        "(SELECT id FROM checkout_page WHERE name = 'shop-b')",
        id=dora,
    )
    work_due()
    assert notes([near, far], "scope") == {near: 1}
    viewer = factories.viewer(dora)
    with viewer_transaction(viewer.account_id) as connection:
        [newest_run] = find_runs(connection, viewer)
        seen = {outcome.order_id: outcome for outcome in find_outcomes(connection, viewer, newest_run.id)}
    assert (seen[far].order_name, seen[far].state) == (None, "refused")
    assert seen[near].order_name is not None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE account SET disabled_at = now() WHERE id = :id", working.DISABLED),
        ("UPDATE account SET role = 'analyst' WHERE id = :id", working.MAY_NOT_ACT),
    ],
)
def test_a_run_ends_when_its_account_may_no_longer_act(
    people: dict[str, SignedIn], change: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    emil = factories.account(f"emil{uuid4()}", stores=["shop-a"])
    mine = orders(3)
    start(emil, BulkKind.ADD_NOTE, mine, text="as long as I may")
    monkeypatch.setattr(working, "_ORDERS_PER_TURN", 1)
    [begun] = working._find_running()
    assert working._turn(begun, Event()) == 1
    run(change, id=emil)
    work_due()
    [row] = run("SELECT state, ended_because, entered_text FROM bulk_run WHERE account_id = :id", id=emil)
    assert tuple(row) == ("ended", reason, None)
    assert notes(mine, "as long as I may") == {mine[0]: 1}


def test_a_run_goes_on_after_its_owner_has_signed_out(people: dict[str, SignedIn]) -> None:
    fred = factories.account("fred", stores=["shop-a"])
    mine = orders(2)
    start(fred, BulkKind.ADD_NOTE, mine, text="goes on")
    run(
        "UPDATE account_session SET ended_at = now(), ended_because = 'signed out' WHERE account_id = :id",
        id=fred,
    )
    work_due()
    assert notes(mine, "goes on") == dict.fromkeys(mine, 1)
    assert newest(factories.signed_in(int(fred))).done == 2


def test_stopping_leaves_the_rest(people: dict[str, SignedIn], monkeypatch: pytest.MonkeyPatch) -> None:
    mine = orders(3)
    start(people["anna"], BulkKind.ADD_NOTE, mine, text="stop here")
    monkeypatch.setattr(working, "_ORDERS_PER_TURN", 1)
    [begun] = working._find_running()
    working._turn(begun, Event())
    with pytest.raises(RunNotFound):
        perform(
            factories.viewer(people["berta"]), ActionRequest(key=uuid4(), address=None), stop_run, begun.id
        )
    perform(factories.viewer(people["anna"]), ActionRequest(key=uuid4(), address=None), stop_run, begun.id)
    work_due()
    result = newest(people["anna"])
    assert (result.state, result.done, result.left) == (BulkState.STOPPED, 1, 2)
    assert notes(mine, "stop here") == {mine[0]: 1}


def test_a_busy_order_is_tried_again_after_the_others_and_then_given_up(
    people: dict[str, SignedIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = orders(2)
    monkeypatch.setattr("db.connections.engine._LOCK_SECONDS", 0.05)
    start(people["anna"], BulkKind.ADD_NOTE, mine, text="busy")
    with jobs_transaction() as connection:
        connection.exec_driver_sql(f"SELECT FROM orders WHERE order_id = {mine[0]} FOR UPDATE")
        work_due()
    result = newest(people["anna"])
    assert outcomes(people["anna"], result.id)[mine[0]][0] == "refused"
    assert notes(mine, "busy") == {mine[1]: 1}


def test_others_see_and_stop_nothing_of_a_run(people: dict[str, SignedIn]) -> None:
    result = finished(people["anna"], BulkKind.ADD_NOTE, orders(1), text="mine")
    for name in ("berta", "carla"):
        viewer = factories.viewer(people[name])
        with viewer_transaction(viewer.account_id) as connection:
            assert all(run_.id != result.id for run_ in find_runs(connection, viewer))
            with pytest.raises(RunNotFound):
                find_outcomes(connection, viewer, result.id)


def test_only_the_workers_role_becomes_an_account_by_a_run(people: dict[str, SignedIn]) -> None:
    start(people["anna"], BulkKind.ADD_NOTE, orders(1), text="x")
    [begun] = working._find_running()
    with pytest.raises(NotAllowed), viewer_transaction(people["berta"]) as connection:
        connection.exec_driver_sql(f"SELECT become_for_run({begun.id})")
    work_due()
