"""What the preview says before many orders are acted on: the same as the single actions would."""

from decimal import Decimal

import pytest

from db.connections.engine import viewer_transaction
from db.schema.bulk_states import BulkKind
from services.access import Role
from services.bulk import preview as previews
from services.bulk.preview import TooManyOrders, find_selected
from services.errors import NotAllowed, OrderNotFound
from services.orders.filters import SearchInput, parse_filter
from services.refunds.requests import request_refund
from services.time_zones import find_time_zone
from tests.services.bulk.support import orders, preview
from tests.support import factories
from tests.support.factories import act, item, run


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    factories.take_in(factories.document(order_id=1, checkout_page="shop-b"))
    return {
        "anna": factories.account("anna", stores=["shop-a"]),
        "carla": factories.account("carla", role="analyst", stores=["shop-a"]),
        "rita": factories.account("rita", role="refund_operator", stores=["shop-a"]),
    }


def test_refunds_are_counted_by_the_reason_that_prevents_them(people: dict[str, int]) -> None:
    paid = orders(3, total="19.90")
    unpaid = orders(2, status="not paid", pay_date=None)
    free = orders(1, total="0.00", items=[item(price="0", amount="0")])
    [requested] = orders(1)
    act(people["anna"], request_refund, requested, reason="x")
    seen = preview(people["anna"], BulkKind.REQUEST_REFUND, [*paid, *unpaid, *free, requested, 1])
    assert seen.able == tuple(paid)
    assert seen.totals == {"EUR": Decimal("59.70")}
    assert dict(seen.reasons) == {
        "Only a Paid order can be refunded.": 2,
        "There is nothing to refund: the order's total is zero.": 1,
        "A refund request for this order is being processed already.": 1,
        OrderNotFound.message: 1,
    }


def test_licences_are_sent_for_orders_with_a_live_code_alone(people: dict[str, int]) -> None:
    [live] = orders(1, items=[item(activation_codes=[{"code": "LIVE"}, {"code": "OLD", "deleted": True}])])
    dead = orders(1, items=[item(activation_codes=[{"code": "DEAD", "deleted": True}])])
    none = orders(1)
    [copy] = orders(
        1,
        items=[
            item(activation_codes=[{"code": "SAME", "deleted": True}]),
            item(activation_codes=[{"code": "same"}]),
        ],
    )
    run("UPDATE order_item SET refunded = true WHERE order_id = :id", id=copy)
    homeless = orders(1, customer={"email": None}, items=[item(activation_codes=[{"code": "X"}])])
    seen = preview(people["anna"], BulkKind.RESEND_LICENCES, [live, *dead, *none, copy, *homeless])
    assert seen.able == (live,)
    assert dict(seen.reasons) == {
        "The order has no activation code that can be sent.": 3,
        "The order has no e-mail to send it to.": 1,
    }


def test_renewals_follow_their_type_and_state(people: dict[str, int]) -> None:
    def subscribed(type_: str, status: str) -> int:
        part = {"id": f"S-{type_}-{status}", "type": type_, "status": status}
        return orders(1, items=[item(subscription=part)])[0]

    active, cancelled = subscribed("AR", "active"), subscribed("AR", "cancelled")
    pmr, pmr_cancelled = subscribed("PMR", "active"), subscribed("PMR", "cancelled")
    [none] = orders(1)
    everything = [active, cancelled, pmr, pmr_cancelled, none]
    assert preview(people["anna"], BulkKind.CANCEL_RENEWAL, everything).able == (active, pmr)
    resumed = preview(people["anna"], BulkKind.RESUME_RENEWAL, everything)
    assert resumed.able == (cancelled,)
    assert resumed.unable[pmr_cancelled] == "A PMR subscription cannot be resumed."
    assert resumed.unable[none] == "The order has no subscription."


def test_it_takes_as_many_statements_for_many_orders_as_for_one(people: dict[str, int]) -> None:
    many = orders(60)
    assert preview(people["anna"], BulkKind.ADD_NOTE, many).able == tuple(many)


def test_the_whole_search_is_taken_up_to_the_limit_of_the_role(
    people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = find_time_zone("UTC")
    assert zone is not None
    mine = orders(4, customer={"email": "outage@example.com"})
    search = parse_filter(SearchInput(email="outage@example.com"), zone=zone)

    def selected(name: str) -> tuple[int, ...]:
        viewer = factories.viewer(people[name])
        with viewer_transaction(viewer.account_id) as connection:
            return find_selected(connection, viewer, search)

    assert sorted(selected("anna")) == mine
    monkeypatch.setitem(previews.LIMITS, Role.SPECIALIST, 3)
    with pytest.raises(TooManyOrders, match="At most 3 orders"):
        selected("anna")
    with pytest.raises(TooManyOrders):
        preview(people["anna"], BulkKind.ADD_NOTE, mine)
    assert len(selected("rita")) == 4
    with pytest.raises(NotAllowed):
        selected("carla")
    with pytest.raises(NotAllowed):
        preview(people["carla"], BulkKind.ADD_NOTE, mine)
