"""Refunds: who may ask, and for what."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from db.connections.engine import viewer_transaction
from services.errors import Conflict, InvalidInput
from services.refunds.processing import (
    refuse_request,
)
from services.refunds.requests import (
    RefundAlreadyRequested,
    RefundNotPossible,
    find_own_requests,
    request_refund,
)
from tests.services.refunds.support import fulfil, order, requested, state
from tests.support import factories
from tests.support.factories import act, history, item, mails, run

FAMILY = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}\N{ZERO WIDTH JOINER}\N{BOY}"


def test_a_request_stands_on_the_order_in_its_history_and_in_the_audit_log(people: dict[str, int]) -> None:
    order_id = order()
    sentence = act(people["anna"], request_refund, order_id, reason="  Bought twice\r\nby mistake ")
    assert sentence == f"Refund request has been sent for order A{order_id:010}."
    assert state(order_id) == ("paid", "requested")
    assert history(order_id) == ["Refund request has been sent. Reason: Bought twice\nby mistake"]
    [audited] = run("SELECT * FROM audit_log WHERE order_id = :id", id=order_id)
    assert (audited.action, audited.succeeded, audited.account_id, audited.address) == (
        "request refund", True, people["anna"], "192.0.2.1",
    )  # fmt: skip
    assert mails(order_id) == []


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"status": "not paid", "pay_date": None}, "Only a Paid order can be refunded."),
        ({"status": "deleted"}, "Only a Paid order can be refunded."),
        ({"status": "terminated"}, "Only a Paid order can be refunded."),
        ({"items": [item(price="0", amount="0")]}, "There is nothing to refund: the order's total is zero."),
    ],
)
def test_no_refund_of(fields: dict[str, Any], why: str, people: dict[str, int]) -> None:
    order_id = order(**fields)
    before = factories.everything()
    with pytest.raises(RefundNotPossible) as raised:
        act(people["anna"], request_refund, order_id, reason="x")
    assert str(raised.value) == why
    assert factories.everything() == before
    [audited] = run("SELECT succeeded, details FROM audit_log WHERE order_id = :id", id=order_id)
    assert (audited.succeeded, audited.details) == (False, {"reason": why})


@pytest.mark.parametrize("taken_by", [None, "rita"])
def test_no_second_request_while_one_is_open(taken_by: str | None, people: dict[str, int]) -> None:
    order_id = order()
    requested(people, order_id, taken_by=taken_by)
    with pytest.raises(RefundAlreadyRequested):
        act(people["anna"], request_refund, order_id, reason="x")


def test_another_request_after_a_refusal(people: dict[str, int]) -> None:
    order_id = order()
    act(people["rita"], refuse_request, requested(people, order_id, taken_by="rita"), note="No.")
    assert state(order_id) == ("paid", "refused")
    requested(people, order_id)
    assert state(order_id) == ("paid", "requested")


@pytest.mark.parametrize("again", [False, True])
def test_after_a_partial_refund_the_checkout_page_decides(again: bool, people: dict[str, int]) -> None:
    run("UPDATE checkout_page SET refund_again_after_partial = :again WHERE name = 'shop-a'", again=again)
    order_id = order(items=[item(), item(item_id="b")])
    fulfil(people, requested(people, order_id, taken_by="rita"))
    if not again:
        with pytest.raises(RefundNotPossible, match="has been refunded already"):
            requested(people, order_id)
        return
    second = requested(people, order_id, taken_by="rita")
    with pytest.raises(InvalidInput, match="refunded already"):
        fulfil(people, second, positions=[1, 2])
    fulfil(people, second, positions=[2])
    assert state(order_id) == ("deleted", "completed")
    assert mails(order_id)[-1].text_body.endswith("full refund completed")


@pytest.mark.parametrize(
    ("reason", "number"),
    [
        ("x" * 500, 500),
        (FAMILY * 500, 500),
        (unicodedata.normalize("NFD", "é") * 500, 500),
        ("x" * 501, 501),
        (FAMILY * 501, 501),
        ("á" * 10_000_000, 1_500_000),
    ],
    ids=["500", "500 families", "500 accents", "501", "501 families", "10 million"],
)
def test_a_reason_is_counted_as_people_count(reason: str, number: int, people: dict[str, int]) -> None:
    order_id = order()
    if number <= 500:
        act(people["anna"], request_refund, order_id, reason=reason)
        [[stored]] = run("SELECT reason FROM refund_request WHERE order_id = :id", id=order_id)
        assert stored == reason
    else:
        with pytest.raises(InvalidInput) as raised:
            act(people["anna"], request_refund, order_id, reason=reason)
        assert (raised.value.field, str(raised.value)) == (
            "reason", f"The reason may have 500 characters at most; this has {number:,}.",
        )  # fmt: skip
        assert state(order_id) == ("paid", None)


@pytest.mark.parametrize("reason", ["", "  \n\t ", "\x00\x07"])
def test_a_reason_is_needed(reason: str, people: dict[str, int]) -> None:
    with pytest.raises(InvalidInput, match=re.escape("The reason is needed.")):
        act(people["anna"], request_refund, order(), reason=reason)


def test_a_request_repeated_with_its_key_hears_the_first_answer(people: dict[str, int]) -> None:
    order_id, key = order(), uuid4()
    first = act(people["anna"], request_refund, order_id, reason="once", key=key)
    assert act(people["anna"], request_refund, order_id, reason="twice", key=key) == first
    assert len(history(order_id)) == 1
    with pytest.raises(Conflict, match="cannot be repeated"):
        act(people["anna"], request_refund, order(), reason="another order", key=key)
    with pytest.raises(Conflict, match="cannot be repeated"):
        act(people["rita"], request_refund, order_id, reason="another person", key=key)


def test_own_requests_newest_first_with_their_progress(people: dict[str, int]) -> None:
    mine = factories.account("mine", stores=["shop-a"])
    orders = [order() for _ in range(3)]
    for order_id in orders:
        act(mine, request_refund, order_id, reason="x")
    with viewer_transaction(mine) as connection:
        first = find_own_requests(connection, factories.viewer(mine), limit=2)
        rest = find_own_requests(connection, factories.viewer(mine), before=first[-1].request.id)
    assert [row.request.order_id for row in (*first, *rest)] == orders[::-1]
    assert all(datetime.now(UTC) - row.request.requested_at < timedelta(minutes=5) for row in first)
