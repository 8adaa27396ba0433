"""One activation code on two items: it lives on with the item that is not refunded, and nowhere afterwards."""

import pytest

from db.connections.engine import anonymous_transaction, viewer_transaction
from services.order_actions.licences import LicenceNotSent, resend_licence
from services.orders.customer_page import get_customer_order
from services.orders.detail import get_order
from services.orders.models import dead_copies
from tests.services.refunds.support import fulfil, order, plan_of, requested
from tests.support import factories
from tests.support.factories import act, document, item, mails, run

ITEMS = [
    item(activation_codes=[{"code": "SHARED-1"}, {"code": "OWN-1"}]),
    item(item_id="b", activation_codes=[{"code": "shared-1"}]),
    item(item_id="c", activation_codes=[{"code": "OWN-3"}]),
]


@pytest.fixture(autouse=True)
def partial_refunds(people: dict[str, int]) -> None:
    run("UPDATE checkout_page SET refund_again_after_partial = true WHERE name = 'shop-a'")


def codes(order_id: int) -> dict[tuple[int, str], bool]:
    """Whether each copy is deleted, by item and code."""
    rows = run("SELECT position, code, deleted FROM activation_code WHERE order_id = :id", id=order_id)
    return {(row.position, row.code): row.deleted for row in rows}


def resend(people: dict[str, int], order_id: int, position: int, code: str) -> str:
    [[code_id]] = run(
        "SELECT id FROM activation_code WHERE order_id = :id AND position = :position AND code = :code",
        id=order_id,
        position=position,
        code=code,
    )
    return act(people["anna"], resend_licence, order_id, code_id=code_id)


def refund(people: dict[str, int], order_id: int, *positions: int, delete_codes: bool = True) -> None:
    request_id = requested(people, order_id, taken_by="rita")
    fulfil(people, request_id, positions=positions, delete_codes=delete_codes)


def test_the_dialog_names_the_other_item(people: dict[str, int]) -> None:
    order_id = order(items=ITEMS)
    plan = plan_of(people, order_id)
    assert plan.codes_that_stay({1}) == {1: (2,)}
    assert plan.codes_that_stay({2, 3}) == {2: (1,)}
    assert plan.codes_that_stay({1, 2}) == {} == plan.codes_that_stay({3})
    refund(people, order_id, 2)
    assert plan_of(people, order_id).codes_that_stay({1}) == {}


def test_it_is_resent_from_the_item_that_is_not_refunded_and_from_no_other(people: dict[str, int]) -> None:
    order_id = order(items=ITEMS)
    refund(people, order_id, 1)
    assert codes(order_id) == {
        (1, "SHARED-1"): True, (1, "OWN-1"): True, (2, "shared-1"): False, (3, "OWN-3"): False,
    }  # fmt: skip
    with pytest.raises(LicenceNotSent, match="was deleted"):
        resend(people, order_id, 1, "SHARED-1")
    resend(people, order_id, 2, "shared-1")
    # A later document that still says what it said changes nothing of it.
    factories.take_in(document(order_id=order_id, items=ITEMS, updated_at="2030-01-01T00:00:00Z"))
    assert codes(order_id)[(1, "SHARED-1")] and not codes(order_id)[(2, "shared-1")]
    assert "shared-1" in [mail.text_body for mail in mails(order_id)][-1]


@pytest.mark.parametrize("delete_codes", [True, False])
def test_once_every_item_is_refunded_no_copy_lives(delete_codes: bool, people: dict[str, int]) -> None:
    order_id = order(items=ITEMS)
    refund(people, order_id, 1)
    refund(people, order_id, 2, delete_codes=delete_codes)
    assert codes(order_id)[(2, "shared-1")], "deleted with the first item, whatever was ticked for this one"
    with pytest.raises(LicenceNotSent, match="was deleted"):
        resend(people, order_id, 2, "shared-1")
    resend(people, order_id, 3, "OWN-3")


def test_a_copy_that_was_kept_dies_when_the_other_one_is_deleted(people: dict[str, int]) -> None:
    order_id = order(items=ITEMS)
    refund(people, order_id, 2, delete_codes=False)
    assert not codes(order_id)[(2, "shared-1")]
    resend(people, order_id, 2, "shared-1")
    refund(people, order_id, 1)
    assert codes(order_id)[(2, "shared-1")] and not codes(order_id)[(3, "OWN-3")]


def test_a_copy_on_an_item_that_the_shop_refunded_is_not_sent(people: dict[str, int]) -> None:
    items = [item(activation_codes=[{"code": "X-1", "deleted": True}], refunded=True),
             item(item_id="b", activation_codes=[{"code": "x-1"}], refunded=True),
             item(item_id="c")]  # fmt: skip
    order_id = order(items=items)
    with pytest.raises(LicenceNotSent, match="deleted with another item"):
        resend(people, order_id, 2, "x-1")
    viewer = factories.viewer(people["anna"])
    with viewer_transaction(people["anna"]) as connection:
        shown = get_order(connection, viewer, order_id)
    assert dead_copies(shown.items) == {code.id for item in shown.items for code in item.codes}


def test_a_deleted_code_that_a_document_puts_on_another_item_stays_deleted(people: dict[str, int]) -> None:
    order_id = order(items=[item(activation_codes=[{"code": "Y-1"}]), item(item_id="b")])
    refund(people, order_id, 1)
    moved = [item(), item(item_id="b", activation_codes=[{"code": "Y-1"}])]
    factories.take_in(document(order_id=order_id, items=moved, updated_at="2030-01-01T00:00:00Z"))
    assert codes(order_id) == {(2, "Y-1"): True}


def test_the_customers_page_shows_the_copy_that_lives(people: dict[str, int]) -> None:
    order_id = order(items=ITEMS)
    refund(people, order_id, 1)
    [[key]] = run("SELECT page_key FROM orders WHERE order_id = :id", id=order_id)
    with anonymous_transaction() as connection:
        shown = get_customer_order(connection, str(key))
    assert [item.codes for item in shown.items] == [(), ("shared-1",), ("OWN-3",)]
