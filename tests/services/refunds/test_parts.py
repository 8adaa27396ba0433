"""Refunds of parts of lines: by quantity, by amount, and what is left."""

from decimal import Decimal

import pytest

from services.errors import InvalidInput
from services.refunds.deciding import SumChanged
from services.refunds.parts import Part
from services.refunds.requests import request_refund
from tests.services.refunds.support import fulfil, given_back, order, plan_of, requested, state
from tests.support.factories import act, document, history, item, run, take_in


@pytest.fixture(autouse=True)
def several_refunds(people: dict[str, int]) -> None:
    run("UPDATE checkout_page SET refund_again_after_partial = true WHERE name = 'shop-a'")


def licences(quantity: int = 3, amount: str = "10.00", **fields: object) -> dict[str, object]:
    return item(quantity=quantity, amount=amount, activation_codes=[{"code": "K"}], **fields)


def refund(people: dict[str, int], order_id: int, part: Part | None, expected: str, position: int = 1) -> str:
    """Request, take and fulfil a part of one line, for the sum that is expected."""
    request_id = requested(people, order_id, taken_by="rita")
    return fulfil(
        people,
        request_id,
        positions=[position],
        parts={} if part is None else {position: part},
        expected_amount=Decimal(expected),
    )


def marks(order_id: int) -> list[tuple[bool, bool]]:
    """By item: whether it is refunded, and whether its code is deleted."""
    rows = run(
        "SELECT i.refunded, c.deleted FROM order_item i JOIN activation_code c USING (order_id, position) "
        "WHERE i.order_id = :id ORDER BY i.position",
        id=order_id,
    )
    return [tuple(row) for row in rows]


def lines(order_id: int) -> list[tuple[int, int | None, str, bool]]:
    rows = run(
        "SELECT position, quantity, amount, is_whole FROM refund_request_item WHERE order_id = :id "
        "ORDER BY refund_request_id, position",
        id=order_id,
    )
    return [(row.position, row.quantity, str(row.amount), row.is_whole) for row in rows]


def test_pieces_one_after_the_other_come_to_exactly_the_line(people: dict[str, int]) -> None:
    order_id = order(items=[licences(), licences(2, "5.00")])
    refund(people, order_id, Part(quantity=1), "3.33")
    assert marks(order_id) == [(False, False), (False, False)]
    assert state(order_id) == ("paid", "completed")
    refund(people, order_id, Part(quantity=1), "3.34")
    refund(people, order_id, None, "3.33")
    assert marks(order_id) == [(True, True), (False, False)]
    assert given_back(order_id) == ["EUR 3.33", "EUR 3.34", "EUR 3.33"]
    assert lines(order_id) == [(1, 1, "3.33", False), (1, 1, "3.34", False), (1, 1, "3.33", True)]
    refund(people, order_id, None, "5.00", position=2)
    assert state(order_id) == ("deleted", "completed")
    completed = [line for line in history(order_id) if line.startswith("Request has been completed")]
    assert "EUR 3.33, item 1 (1 of 3)." in completed[0]
    assert "full refund" in completed[3].casefold() and "item 2." in completed[3]


def test_an_amount_leaves_the_rest_of_the_line(people: dict[str, int]) -> None:
    order_id = order(items=[licences()])
    refund(people, order_id, Part(amount=Decimal("4.00")), "4.00")
    assert marks(order_id) == [(False, False)]
    plan = plan_of(people, order_id)
    assert plan.sums.shares == {1: Decimal("6.00")} and plan.items[0].given_back == Decimal("4.00")
    assert "item 1 (EUR 4.00 of EUR 10.00)" in history(order_id)[-1]
    refund(people, order_id, Part(quantity=3), "6.00")
    assert state(order_id)[0] == "deleted"
    assert lines(order_id) == [(1, None, "4.00", False), (1, 3, "6.00", True)]


def test_an_amount_that_is_all_that_is_left_settles_the_line(people: dict[str, int]) -> None:
    order_id = order(items=[licences()])
    refund(people, order_id, Part(amount=Decimal("10")), "10.00")
    assert state(order_id)[0] == "deleted" and marks(order_id) == [(True, True)]


def test_parts_have_their_share_of_a_discount(people: dict[str, int]) -> None:
    order_id = order(items=[licences(2, "6.00"), licences(1, "4.00")], total="9.00")
    refund(people, order_id, Part(quantity=1), "2.70")
    assert plan_of(people, order_id).sums.shares == {1: Decimal("2.70"), 2: Decimal("3.60")}


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (Part(quantity=0), "Item 1: a quantity from 1 to 3 can be refunded"),
        (Part(quantity=4), "Item 1: a quantity from 1 to 3 can be refunded"),
        (Part(amount=Decimal(0)), "at most EUR 10.00 is left"),
        (Part(amount=Decimal("-1")), "at most EUR 10.00 is left"),
        (Part(amount=Decimal("10.01")), "at most EUR 10.00 is left"),
        (Part(amount=Decimal("1.005")), "amounts in EUR have 2 decimals"),
        (Part(amount=Decimal("NaN")), "at most EUR 10.00 is left"),
        (Part(amount=Decimal("Infinity")), "at most EUR 10.00 is left"),
    ],
)
def test_parts_that_cannot_be_refunded(people: dict[str, int], part: Part, sentence: str) -> None:
    order_id = order(items=[licences()])
    request_id = requested(people, order_id, taken_by="rita")
    with pytest.raises(InvalidInput, match=sentence) as refusal:
        fulfil(people, request_id, parts={1: part}, expected_amount=Decimal(1))
    assert refusal.value.field == "positions" and given_back(order_id) == []


def test_what_was_given_back_in_parts_is_not_given_back_again(people: dict[str, int]) -> None:
    order_id = order(items=[licences()])
    refund(people, order_id, Part(quantity=2), "6.67")
    request_id = requested(people, order_id, taken_by="rita")
    with pytest.raises(InvalidInput, match="from 1 to 1 "):
        fulfil(people, request_id, parts={1: Part(quantity=2)}, expected_amount=Decimal("6.66"))
    with pytest.raises(SumChanged, match=r"EUR 3\.33"):
        fulfil(people, request_id, expected_amount=Decimal("10.00"))


def test_a_document_that_refunds_the_rest_leaves_the_other_lines_as_they_were(people: dict[str, int]) -> None:
    sent = document(items=[licences(2, "6.00"), licences(1, "4.00")])
    take_in(sent)
    order_id = int(sent["order_id"])
    refund(people, order_id, Part(quantity=1), "3.00")
    sent["items"][0]["refunded"] = True
    sent["updated_at"] = "2026-03-05T10:00:00+00:00"
    take_in(sent)
    plan = plan_of(people, order_id)
    assert plan.sums.shares == {2: Decimal("4.00")} and plan.sums.left == Decimal("4.00")


def test_the_proposal_of_the_requester_is_kept_for_the_operator(people: dict[str, int]) -> None:
    order_id = order(items=[licences(), licences(1, "4.00")])
    act(
        people["anna"],
        request_refund,
        order_id,
        reason="One seat too many",
        positions=[1],
        parts={1: Part(quantity=1)},
    )
    [[proposal]] = run("SELECT proposal FROM refund_request WHERE order_id = :id", id=order_id)
    assert proposal == [{"position": 1, "quantity": 1, "amount": None}]
    whole = order(items=[licences()])
    act(people["anna"], request_refund, whole, reason="x", positions=[1])
    assert run("SELECT proposal FROM refund_request WHERE order_id = :id", id=whole) == [(None,)]
    with pytest.raises(InvalidInput, match="from 1 to 3"):
        act(people["anna"], request_refund, order(items=[licences()]), reason="x", positions=[1],
            parts={1: Part(quantity=9)})  # fmt: skip
