"""The refund queue: what a closing changes, the requester's mail, and who may."""

import io
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from pypdf import PdfReader

from db.connections.engine import viewer_transaction
from services.actions import ActionRequest, perform
from services.errors import Conflict, InvalidInput, NotAllowed, OrderNotFound, SupportError
from services.refunds.plans import find_plan
from services.refunds.processing import (
    fail_request,
    fulfil_request,
    refuse_request,
    release_request,
    take_request,
)
from services.refunds.queue import QueueView, count_queue, find_queue
from services.refunds.request_lock import RequestClosed, RequestNotFound, RequestNotTaken
from services.refunds.requests import (
    find_requests_of,
    request_refund,
)
from tests.services.refunds.support import fulfil, order, requested, result, state
from tests.support import factories
from tests.support.factories import act, document, history, item, mails, run


def test_the_queue_is_oldest_first_and_turns_pages(people: dict[str, int]) -> None:
    wanted = [requested(people, order()) for _ in range(5)]
    run(
        "UPDATE refund_request SET requested_at = now() - (100 - id) * interval '1 hour' WHERE closed_at IS NULL"
    )
    rita = factories.viewer(people["rita"])
    with viewer_transaction(people["rita"]) as connection:
        everything = find_queue(connection, rita, QueueView.OPEN)
        assert [r.request.id for r in everything if r.request.id in wanted] == wanted
        rest = find_queue(connection, rita, QueueView.OPEN, after=everything[1].cursor(QueueView.OPEN))
        assert [*everything[:2], *rest] == list(everything)
        assert count_queue(connection, rita).open == len(everything)
        assert {row.store for row in everything} == {"shop-a"}


def test_closed_ones_are_listed_newest_first(people: dict[str, int]) -> None:
    for _ in range(2):
        act(people["rita"], fail_request, requested(people, order(), taken_by="rita"), note="Bank said no.")
    with viewer_transaction(people["rita"]) as connection:
        closed = find_queue(connection, factories.viewer(people["rita"]), QueueView.CLOSED)
    times = [row.request.closed_at for row in closed]
    assert times == sorted(times, reverse=True)  # type: ignore[type-var]
    assert len(times) >= 2


def test_specialists_have_no_queue(people: dict[str, int]) -> None:
    with viewer_transaction(people["anna"]) as connection, pytest.raises(NotAllowed):
        find_queue(connection, factories.viewer(people["anna"]), QueueView.OPEN)


def test_taken_released_and_taken_by_somebody_else(people: dict[str, int]) -> None:
    order_id = order()
    request_id = requested(people, order_id, taken_by="rita")
    assert state(order_id) == ("paid", "updating")
    with pytest.raises(RequestNotTaken, match="rita is working on this"):
        act(people["otto"], take_request, request_id)
    with pytest.raises(RequestNotTaken, match="You have taken"):
        act(people["rita"], take_request, request_id)
    with pytest.raises(RequestNotTaken, match="rita is working on this"):
        act(people["otto"], release_request, request_id)
    with pytest.raises(RequestNotTaken, match="rita is working on this"):
        fulfil(people, request_id, by="otto")
    act(people["rita"], release_request, request_id)
    assert state(order_id) == ("paid", "requested")
    with pytest.raises(RequestNotTaken, match="Nobody has taken"):
        act(people["rita"], release_request, request_id)
    with pytest.raises(RequestNotTaken, match="Take the refund request first"):
        fulfil(people, request_id)
    act(people["otto"], take_request, request_id)
    act(people["admin"], release_request, request_id)
    assert history(order_id)[1:] == [
        "Refund info is being updated",
        "The refund request went back to the queue",
        "Refund info is being updated",
        "The refund request went back to the queue",
    ]


def test_all_items_refunded(people: dict[str, int]) -> None:
    order_id = order(
        payment={"payment_method": "WireTransfer"},
        items=[
            item(name="Ünïcode 防病毒", activation_codes=[{"code": "LIVE-1"}],
                 subscription={"id": "R1", "type": "AR", "status": "active"}),
            item(item_id="b", quantity=2, amount="20.00", activation_codes=[{"code": "LIVE-2"}]),
        ],
    )  # fmt: skip
    request_id = requested(people, order_id, taken_by="rita")
    assert (
        fulfil(people, request_id, positions=[1, 2])
        == f"Full refund completed for order A{order_id:010}. EUR 30.00 refunded."
    )
    assert state(order_id) == ("deleted", "completed")
    assert result(request_id) == ("completed", "full", "Paid back.", people["rita"])
    assert run("SELECT DISTINCT deleted FROM activation_code WHERE order_id = :id", id=order_id) == [(True,)]
    assert run("SELECT status FROM subscription WHERE order_id = :id", id=order_id) == [("cancelled",)]
    assert history(order_id)[2:] == [
        "Auto-renewal has been deactivated: subscription R1 (refund)",
        "Request has been completed: full refund completed, EUR 30.00, items 1, 2. Status: Deleted. Note: Paid back.",
        f"Refund document refund-A{order_id:010}-{request_id}.pdf",
    ]
    [mail] = mails(order_id)
    name = f"A{order_id:010}"
    assert (mail.to_address, mail.subject, mail.text_body) == (
        "anna@test.example",
        f"[Esupport] Refund request for {name} has been completed",
        f"Your refund request for {name} has been completed with result: full refund completed",
    )
    with pytest.raises(RequestClosed):
        fulfil(people, request_id)
    # The shop's later documents do not undo it.
    factories.take_in(document(order_id=order_id, updated_at="2030-01-01T00:00:00Z"))
    assert state(order_id)[0] == "deleted"


def test_the_refund_document_says_what_was_paid_back(people: dict[str, int]) -> None:
    order_id = order(
        payment={"payment_method": "WireTransfer"}, items=[item(name="Schutz für Łódź"), item(item_id="b")]
    )
    request_id = requested(people, order_id, taken_by="rita")
    fulfil(people, request_id)
    [[content, kind, media_type]] = run(
        "SELECT content, kind, media_type FROM order_document WHERE order_id = :id", id=order_id
    )
    assert (kind, media_type) == ("refund", "application/pdf")
    reader = PdfReader(io.BytesIO(content))
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    for wanted in (f"A{order_id:010}", "Schutz für Łódź", "EUR 10.00", "Inês Araújo"):
        assert wanted in text, text


def test_some_items_with_codes_and_subscriptions_kept(people: dict[str, int]) -> None:
    order_id = order(
        payment={"payment_method": "Card"},
        items=[
            item(activation_codes=[{"code": "A"}], subscription={"id": "R2", "type": "PMR", "status": "active"}),
            item(item_id="b", activation_codes=[{"code": "B"}]),
        ],
    )  # fmt: skip
    request_id = requested(people, order_id, taken_by="rita")
    sentence = fulfil(people, request_id, positions=[1], delete_codes=False, stop_renewal=False)
    assert sentence == f"Partial refund completed for order A{order_id:010}. EUR 10.00 refunded."
    assert state(order_id) == ("paid", "completed")
    assert run("SELECT position, refunded FROM order_item WHERE order_id = :id ORDER BY 1", id=order_id) == [
        (1, True), (2, False),
    ]  # fmt: skip
    assert run("SELECT DISTINCT deleted FROM activation_code WHERE order_id = :id", id=order_id) == [(False,)]
    assert run("SELECT status FROM subscription WHERE order_id = :id", id=order_id) == [("active",)]
    assert run("SELECT count(*) FROM order_document WHERE order_id = :id", id=order_id) == [(0,)]
    assert mails(order_id)[0].text_body.endswith("result: partial refund completed")


def test_codes_of_the_chosen_items_alone_are_deleted(people: dict[str, int]) -> None:
    order_id = order(
        items=[item(activation_codes=[{"code": "A"}]), item(item_id="b", activation_codes=[{"code": "B"}])]
    )
    fulfil(people, requested(people, order_id, taken_by="rita"), positions=[2])
    assert run("SELECT code, deleted FROM activation_code WHERE order_id = :id ORDER BY 1", id=order_id) == [
        ("A", False), ("B", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("work", "sentence", "stored"),
    [
        (refuse_request, "the request was refused", "refused"),
        (fail_request, "the refund failed", "failed"),
    ],
)
def test_refused_or_failed(work: object, sentence: str, stored: str, people: dict[str, int]) -> None:
    order_id = order(items=[item(activation_codes=[{"code": "A"}])])
    request_id = requested(people, order_id, taken_by="rita")
    act(people["rita"], work, request_id, note="Used for a year.")  # type: ignore[arg-type]
    assert state(order_id) == ("paid", "refused")
    assert result(request_id) == ("refused", stored, "Used for a year.", people["rita"])
    assert history(order_id)[-1] == f"Refusal to refund: {sentence}. Note: Used for a year."
    assert run("SELECT deleted FROM activation_code WHERE order_id = :id", id=order_id) == [(False,)]
    [mail] = mails(order_id)
    assert mail.text_body == (
        f"Your refund request for A{order_id:010} has been completed with result: refund failed"
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"positions": []}, "positions"),
        ({"positions": [1, 3]}, "positions"),
        ({"note": " "}, "note"),
        ({"note": "x" * 2001}, "note"),
    ],
)
def test_a_closing_says_what_is_missing_and_changes_nothing(
    fields: dict[str, Any], field: str, people: dict[str, int]
) -> None:
    request_id = requested(people, order(), taken_by="rita")
    before = factories.everything()
    with pytest.raises(InvalidInput) as raised:
        fulfil(people, request_id, **fields)
    assert raised.value.field == field
    assert factories.everything() == before


def test_an_order_that_is_paid_no_more_can_only_be_turned_down(people: dict[str, int]) -> None:
    order_id = order()
    request_id = requested(people, order_id, taken_by="rita")
    run("UPDATE orders SET status = 'terminated' WHERE order_id = :id", id=order_id)
    with pytest.raises(Conflict, match="no longer Paid"):
        fulfil(people, request_id)
    act(people["rita"], fail_request, request_id, note="Terminated.")
    assert state(order_id) == ("terminated", "refused")


# Who may


@pytest.mark.parametrize("request_id", [0, -1, 2**63, 10**30, 999_999])
def test_no_such_request(request_id: int, people: dict[str, int]) -> None:
    with pytest.raises(RequestNotFound):
        act(people["rita"], take_request, request_id)


def test_foreign_requests_are_like_none(people: dict[str, int]) -> None:
    act(people["admin"], request_refund, 1, reason="x")
    [[request_id]] = run("SELECT id FROM refund_request WHERE order_id = 1")
    for who, work, arguments, error in (
        ("anna", request_refund, (1,), OrderNotFound),
        ("rita", take_request, (request_id,), RequestNotFound),
    ):
        named: dict[str, Any] = {"reason": "x"} if work is request_refund else {}
        with pytest.raises(error):
            act(people[who], work, *arguments, **named)
    with viewer_transaction(people["rita"]) as connection:
        assert find_plan(connection, 1) is None
        assert find_requests_of(connection, [1]) == {1: []}


@pytest.mark.parametrize("name", ["anna", "carla"])
@pytest.mark.parametrize(
    "work", [take_request, release_request, fulfil_request, refuse_request, fail_request]
)
def test_only_refund_operators_work_on_it(work: object, name: str, people: dict[str, int]) -> None:
    request_id = requested(people, order(), taken_by="rita")
    named: dict[str, Any] = {}
    if work is fulfil_request:
        named = {
            "positions": [1],
            "expected_amount": Decimal(10),
            "delete_codes": True,
            "stop_renewal": True,
            "note": "x",
        }
    elif work in (refuse_request, fail_request):
        named = {"note": "x"}
    before = factories.everything()
    with pytest.raises(NotAllowed):
        act(people[name], work, request_id, **named)  # type: ignore[arg-type]
    assert factories.everything() == before


def test_a_disabled_account_closes_nothing_even_with_a_viewer_made_before(people: dict[str, int]) -> None:
    gone = factories.account("gone", role="refund_operator", stores=["shop-a"])
    before, order_id = factories.viewer(gone), order()
    run("UPDATE account SET disabled_at = now() WHERE id = :id", id=gone)
    with pytest.raises(SupportError):
        request = ActionRequest(key=uuid4(), address=None, order_id=order_id)
        perform(before, request, request_refund, order_id, reason="x")
    assert state(order_id) == ("paid", None)
    assert run("SELECT succeeded FROM audit_log WHERE account_id = :id", id=gone) == [(False,)]
