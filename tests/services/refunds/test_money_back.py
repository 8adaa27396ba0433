"""What is given back: the sum that is confirmed is the sum of document, history, log and lists, and never too much."""

import io
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import psycopg
import pytest
from pypdf import PdfReader
from sqlalchemy.exc import DBAPIError, IntegrityError

from db.connections.engine import jobs_transaction, viewer_transaction
from db.connections.roles import libpq_url
from services.errors import InvalidInput
from services.orders.detail import get_order
from services.refunds.deciding import SumChanged
from services.refunds.queue import QueueView, find_queue
from services.refunds.requests import find_own_requests, request_refund
from tests.services.refunds.support import fulfil, given_back, order, plan_of, requested, state
from tests.support import factories
from tests.support.factories import act, document, history, item, run

SIX, FOUR = item(price="6.00", amount="6.00"), item(item_id="b", price="4.00", amount="4.00", name="Backup")
WIRE = {"payment_method": "WireTransfer"}


@pytest.fixture(autouse=True)
def partial_refunds(people: dict[str, int]) -> None:
    """The store allows another request after a partial refund."""
    run("UPDATE checkout_page SET refund_again_after_partial = true WHERE name = 'shop-a'")


def words_of_document(order_id: int) -> str:
    [[content]] = run(
        "SELECT content FROM order_document WHERE order_id = :id ORDER BY id DESC LIMIT 1", id=order_id
    )
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def test_one_sum_stands_everywhere(people: dict[str, int]) -> None:
    order_id = order(total="9.00", items=[SIX, FOUR], payment=WIRE)
    request_id = requested(people, order_id, taken_by="rita")
    plan = plan_of(people, order_id)
    assert plan.is_shared_out
    assert [item.share for item in plan.items] == [Decimal("5.40"), Decimal("3.60")]
    sentence = fulfil(people, request_id, positions=[1, 2], expected_amount=Decimal("9.00"))
    assert sentence == f"Full refund completed for order A{order_id:010}. EUR 9.00 refunded."
    assert given_back(order_id) == ["EUR 9.00"]
    text = words_of_document(order_id)
    for wanted in ("EUR 5.40", "EUR 3.60", "Total refunded EUR 9.00", "with their share"):
        assert wanted in text, text
    assert "10.00" not in text
    assert any("full refund completed, EUR 9.00, items 1, 2." in line for line in history(order_id))
    [[details]] = run(
        "SELECT details FROM audit_log WHERE action = 'fulfil refund' AND succeeded ORDER BY id DESC LIMIT 1"
    )
    assert (details["sum"], details["shares"]) == ("EUR 9.00", ["EUR 5.40", "EUR 3.60"])
    rita, anna = factories.viewer(people["rita"]), factories.viewer(people["anna"])
    with viewer_transaction(people["rita"]) as connection:
        [closed, *_] = find_queue(connection, rita, QueueView.CLOSED)
        [shown] = get_order(connection, rita, order_id).refunds
    with viewer_transaction(people["anna"]) as connection:
        [own, *_] = find_own_requests(connection, anna)
    assert {closed.request.sum_words, shown.sum_words, own.request.sum_words} == {"EUR 9.00"}
    assert run(
        "SELECT position, quantity, amount FROM refund_request_item WHERE refund_request_id = :id ORDER BY 1",
        id=request_id,
    ) == [(1, 1, Decimal("5.40")), (2, 1, Decimal("3.60"))]


def test_refunds_one_after_the_other_end_at_what_was_paid(people: dict[str, int]) -> None:
    order_id = order(total="10.00", items=[item(item_id=str(n), amount="4.00") for n in range(3)])
    for position in (2, 3, 1):
        fulfil(people, requested(people, order_id, taken_by="rita"), positions=[position])
    assert given_back(order_id) == ["EUR 3.33", "EUR 3.33", "EUR 3.34"]
    assert state(order_id) == ("deleted", "completed")


def test_a_sum_that_is_not_the_confirmed_one_is_refused_and_nothing_changes(people: dict[str, int]) -> None:
    order_id = order(total="9.00", items=[SIX, FOUR])
    request_id = requested(people, order_id, taken_by="rita")
    factories.take_in(
        document(order_id=order_id, total="8.00", items=[SIX, FOUR], updated_at="2030-01-01T00:00:00Z")
    )
    before = factories.everything()
    with pytest.raises(SumChanged, match=r"these items come to EUR 4\.80 now"):
        fulfil(people, request_id, positions=[1], expected_amount=Decimal("5.40"))
    assert factories.everything() == before
    fulfil(people, request_id, positions=[1], expected_amount=Decimal("4.80"))
    assert given_back(order_id) == ["EUR 4.80"]


def test_what_the_shop_refunded_is_not_given_back_again(people: dict[str, int]) -> None:
    order_id = order(total="9.00", items=[SIX | {"refunded": True}, FOUR])
    request_id = requested(people, order_id, taken_by="rita")
    with pytest.raises(InvalidInput, match="refunded already"):
        fulfil(people, request_id, positions=[1, 2], expected_amount=Decimal(9))
    fulfil(people, request_id, positions=[2])
    assert given_back(order_id) == ["EUR 3.60"]
    assert state(order_id) == ("deleted", "completed")


def test_the_database_takes_no_refund_above_what_was_paid(people: dict[str, int], database: str) -> None:
    order_id = order(total="9.00", items=[SIX, FOUR])
    request_id = requested(people, order_id, taken_by="rita")
    close = (
        "UPDATE refund_request SET status = 'completed', result = 'partial', closed_at = now(), "
        "amount = :amount, currency = :currency WHERE id = :id"
    )
    for amount, currency, why in (
        (Decimal("9.01"), "EUR", "more than was paid"),
        (None, None, "says its sum"),
        (Decimal("9.00"), "USD", "in its currency"),
        (Decimal("-1.00"), "EUR", "refund_request_amount"),
    ):
        with pytest.raises(IntegrityError, match=why):
            run(close, amount=amount, currency=currency, id=request_id)
    with pytest.raises(IntegrityError, match="not the sum of its lines"):
        run(close, amount=Decimal("9.00"), currency="EUR", id=request_id)
    fulfil(people, request_id, positions=[1])
    with pytest.raises(IntegrityError, match="more than was paid"):
        run("UPDATE refund_request SET amount = 9.01 WHERE id = :id", id=request_id)
    with pytest.raises(IntegrityError, match="not the sum of its lines"):
        run("UPDATE refund_request_item SET amount = 5 WHERE refund_request_id = :id", id=request_id)
    with pytest.raises(IntegrityError, match="more than was paid"):
        insert_completed(order_id, Decimal("3.61"))
    insert_completed(order_id, Decimal("3.60"))


# What another program may write: a completed request and its line.
INSERT_COMPLETED = """
    WITH made AS (
        INSERT INTO refund_request (order_id, checkout_page_id, reason, requester_name, requester_email, status, result,
            closed_at, amount, currency)
        SELECT order_id, checkout_page_id, 'r', 'n', 'n@x.example', 'completed', 'partial', now(), %(amount)s, currency
        FROM orders WHERE order_id = %(id)s
        RETURNING *
    )
    INSERT INTO refund_request_item SELECT id, order_id, 2, checkout_page_id, amount, 1 FROM made
"""


def insert_completed(order_id: int, amount: Decimal) -> None:
    with jobs_transaction() as connection:
        connection.exec_driver_sql(INSERT_COMPLETED, {"amount": amount, "id": order_id})


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_two_writers_at_once_cannot_give_back_too_much(
    isolation: str, people: dict[str, int], database: str
) -> None:
    for _ in range(10):
        order_id, barrier = order(total="10.00", items=[SIX, FOUR]), Barrier(2)

        def write(order_id: int = order_id, barrier: Barrier = barrier) -> bool:
            with psycopg.connect(libpq_url(database)) as connection:
                connection.execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}")
                connection.execute("SELECT count(*) FROM refund_request")  # takes the snapshot
                barrier.wait()
                try:
                    connection.execute(INSERT_COMPLETED, {"amount": 6, "id": order_id})
                    connection.commit()
                except (psycopg.errors.CheckViolation, psycopg.errors.SerializationFailure):
                    return False
                return True

        with ThreadPoolExecutor(2) as pool:
            outcomes = [future.result() for future in [pool.submit(write) for _ in range(2)]]
        assert sorted(outcomes) == [False, True]
        assert given_back(order_id) == ["EUR 6"]


def test_the_apps_role_cannot_change_a_sum_it_may_not_see(people: dict[str, int]) -> None:
    order_id = order(total="9.00", items=[SIX, FOUR])
    request_id = requested(people, order_id, taken_by="rita")
    fulfil(people, request_id, positions=[1])
    for who in ("anna", "carla"):
        with viewer_transaction(people[who]) as connection:
            try:
                changed = connection.exec_driver_sql(
                    "UPDATE refund_request SET amount = 0 WHERE id = %(id)s", {"id": request_id}
                ).rowcount
            except DBAPIError:
                changed = 0
        assert changed == 0
    assert given_back(order_id) == ["EUR 5.40"]


def test_an_order_of_nothing_left_is_refunded_with_nothing(people: dict[str, int]) -> None:
    order_id = order(total="9.00", items=[SIX, FOUR])
    act(people["anna"], request_refund, order_id, reason="x")
    run("UPDATE orders SET total = 0 WHERE order_id = :id", id=order_id)
    assert plan_of(people, order_id).sums.sum_of([1, 2]) == 0
