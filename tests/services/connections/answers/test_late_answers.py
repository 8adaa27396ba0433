"""Answers that change nothing, those that come late, and actions that were given up."""

from decimal import Decimal
from uuid import uuid4

from db.connections.engine import jobs_transaction
from services.actions import ActionRequest, perform
from services.connections.answers import SettleOutcome, give_up_all
from services.order_actions.subscriptions import cancel_subscription
from services.privacy.erasure import Part, erase_personal_data
from services.refunds.processing import fail_request
from tests.services.connections.answers.support import (
    STORE,
    approved,
    order,
    press_fulfil,
    request_of,
    run_status,
    subscribed,
)
from tests.support import factories
from tests.support.connected import abandon, arrive, awaited, confirm, connect, refuse
from tests.support.factories import act, history, item, mails, run


def test_the_first_answer_counts(people: dict[str, int], shop: int) -> None:
    order_id = order()
    action_id = approved(people, order_id)
    confirm(action_id, shop)
    before = factories.everything()
    assert confirm(action_id, shop) is SettleOutcome.REPEATED
    assert refuse(action_id, shop) is SettleOutcome.REPEATED
    assert not abandon(action_id)
    assert factories.everything() == before


def test_an_answer_of_somebody_else(people: dict[str, int], shop: int) -> None:
    order_id = order()
    action_id = approved(people, order_id)
    foreign, not_asked = connect("shop-b", confirms=True), connect(STORE, topics=[])
    before = factories.everything()
    assert confirm(action_id, foreign) is SettleOutcome.UNKNOWN
    assert confirm(action_id, not_asked) is SettleOutcome.UNKNOWN  # although of the store
    assert confirm(uuid4(), shop) is SettleOutcome.UNKNOWN
    assert factories.everything() == before
    assert awaited(order_id).state == "recorded"


def test_the_answer_may_come_by_the_connection_that_replaces_the_one_asked(people: dict[str, int]) -> None:
    store = "replaced"
    asked = connect(store, confirms=True)
    anna = factories.account(f"anna-{uuid4().hex[:6]}", stores=[store])
    order_id = subscribed(checkout_page=store)
    act(anna, cancel_subscription, order_id, position=1)
    run("DELETE FROM connection WHERE id = :id", id=asked)
    assert confirm(awaited(order_id).id, connect("shop-b")) is SettleOutcome.UNKNOWN
    assert confirm(awaited(order_id).id, connect(store)) is SettleOutcome.CONFIRMED


def test_what_was_not_delivered_can_be_done_again(people: dict[str, int], shop: int) -> None:
    order_id = order()
    action_id = approved(people, order_id)
    assert abandon(action_id, "The shop answered 500.")
    assert not abandon(action_id)
    assert history(order_id)[-1] == (
        "The refund of EUR 10.00 (item 1) was not sent to the shop; it can be done again. The shop answered 500."
    )
    assert run_status(order_id) == ["paid", "updating"]
    press_fulfil(people, request_of(order_id).id)
    again = awaited(order_id).id
    assert again != action_id
    confirm(again, shop)
    assert request_of(order_id).status == "completed"


def test_a_late_confirmation_of_what_was_given_up_counts(people: dict[str, int], shop: int) -> None:
    """The money has moved, and only the way back was broken."""
    order_id = order()
    action_id = approved(people, order_id)
    abandon(action_id)
    assert awaited(order_id).message == "The shop did not answer."
    assert confirm(action_id, shop) is SettleOutcome.CONFIRMED
    assert request_of(order_id).status == "completed"
    assert awaited(order_id).message is None


def test_a_late_confirmation_after_the_request_was_closed(people: dict[str, int], shop: int) -> None:
    order_id = order()
    action_id = approved(people, order_id)
    abandon(action_id)
    act(people["rita"], fail_request, request_of(order_id).id, note="The shop is down.")
    assert confirm(action_id, shop) is SettleOutcome.CONFIRMED
    assert history(order_id)[-1].endswith("The refund request had been closed before.")
    refused, attention = mails(order_id)
    assert "refund failed" in refused.text_body
    assert attention.to_address == "rita@test.example"
    assert attention.subject.endswith(f"for A{order_id:010} needs attention")
    assert "was confirmed by the shop and could not be carried out here." in attention.text_body
    assert request_of(order_id).result == "failed"


def test_a_late_refusal_does_not_close_the_next_try(people: dict[str, int], shop: int) -> None:
    order_id = order()
    first = approved(people, order_id)
    abandon(first)
    press_fulfil(people, request_of(order_id).id)
    assert refuse(first, shop) is SettleOutcome.REFUSED
    assert request_of(order_id).status == "updating"
    confirm(awaited(order_id).id, shop)
    assert request_of(order_id).status == "completed"


def test_a_connection_that_is_switched_off_gives_everything_up(people: dict[str, int]) -> None:
    store = f"off-{uuid4().hex[:6]}"
    asked = connect(store, confirms=True)
    anna = factories.account(f"anna-{store}", stores=[store])
    orders = [subscribed(checkout_page=store) for _ in range(3)]
    for order_id in orders:
        act(anna, cancel_subscription, order_id, position=1)
    confirm(awaited(orders[0]).id, asked)
    arrive(awaited(orders[1]).id)
    with jobs_transaction() as connection:
        assert give_up_all(connection, asked, "The connection was switched off.") == 2
    assert [awaited(order_id).state for order_id in orders] == [
        "confirmed",
        "not delivered",
        "not delivered",
    ]


def test_a_refund_that_waits_while_its_customer_is_deleted(people: dict[str, int], shop: int) -> None:
    """The note loses the person; the sums, the currency and the positions are the refund's, whatever the name."""
    email = f"{uuid4().hex}@example.com"
    order_id = order(
        customer={"email": email, "first_name": "Eur", "last_name": "Miller"},
        payment={"card_last_4": "1234"},
        items=[item(price="1234.00", amount="1234.00")],
    )
    action_id = approved(people, order_id, "1234.00", note="Agreed with Miller on the phone.")
    request = ActionRequest(key=uuid4(), address=None)
    expected = {order_id: Part.CUSTOMER}
    admin = factories.viewer(factories.account("admin", role="administrator"))
    perform(admin, request, erase_personal_data, email=email, expected=expected)
    assert "Miller" not in str(awaited(order_id).wish)
    assert confirm(action_id, shop) is SettleOutcome.CONFIRMED
    completed = request_of(order_id)
    assert (completed.status, completed.amount, completed.currency) == (
        "completed",
        Decimal("1234.00"),
        "EUR",
    )
    assert completed.note == "Agreed with deleted on the phone."


def test_an_answer_about_an_order_that_is_gone(people: dict[str, int], shop: int) -> None:
    order_id = order()
    action_id = approved(people, order_id)
    run("DELETE FROM orders WHERE order_id = :id", id=order_id)
    assert confirm(action_id, shop) is SettleOutcome.UNKNOWN
    assert not abandon(action_id)


def test_an_answer_to_an_account_that_is_gone(people: dict[str, int], shop: int) -> None:
    """Its name stays, as in everything that it did."""
    order_id = subscribed()
    leaver = factories.account("leaver", stores=[STORE])
    act(leaver, cancel_subscription, order_id, position=1)
    run("DELETE FROM account WHERE id = :id", id=leaver)
    assert confirm(awaited(order_id).id, shop) is SettleOutcome.CONFIRMED
    [event] = run("SELECT * FROM subscription_event WHERE order_id = :id", id=order_id)
    assert (event.account_id, event.changed_by, event.to_status) == (None, "leaver", "cancelled")
