"""A later document of the shop that sets aside what was done here leaves one line; what it only repeats leaves none."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.order_actions.customer_email import correct_email
from services.refunds.processing import fulfil_request, take_request
from services.refunds.requests import request_refund
from tests.support import factories
from tests.support.factories import act, document, history, run

EMAIL_LINE = "The customer's e-mail has been set by the shop. "
DATED = re.compile(r"Its document of (\d{4}-\d\d-\d\d \d\d:\d\d) UTC is later than what was done here")


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    return {
        "anna": factories.account("anna", stores=["shop-a"]),
        "rita": factories.account("rita", role="refund_operator", stores=["shop-a"]),
    }


def order(**given: Any) -> int:
    made = document(**given)
    factories.take_in(made)
    return int(made["order_id"])


def newer(order_id: int, updated_at: str = "2100-01-01T10:00:00Z", **given: Any) -> None:
    factories.take_in(document(order_id=order_id, updated_at=updated_at, **given))


def overruled(order_id: int) -> list[str]:
    """The lines about what the shop has set aside, without the document's date, which is not one to come."""
    lines = [line for line in history(order_id) if DATED.search(line)]
    for line in lines:
        at = datetime.fromisoformat(f"{DATED.search(line)[1]}+00:00")  # type: ignore[index]
        assert at <= datetime.now(UTC) < at + timedelta(hours=1)
    return [DATED.sub("", line) for line in lines]


def email_of(order_id: int) -> str:
    [[email]] = run("SELECT email FROM orders WHERE order_id = :id", id=order_id)
    return str(email)


def corrected(people: dict[str, int]) -> int:
    order_id = order(updated_at="2026-03-01T10:00:00Z")
    act(people["anna"], correct_email, order_id, email="right@example.com", expected="ines@example.com")
    return order_id


def test_an_e_mail_that_was_corrected_here(people: dict[str, int]) -> None:
    order_id = corrected(people)
    newer(order_id, "2026-03-02T10:00:00Z")  # older than the correction
    assert email_of(order_id) == "right@example.com"
    assert overruled(order_id) == []
    newer(order_id, customer={"email": "other@example.com"})
    assert email_of(order_id) == "other@example.com"
    assert overruled(order_id) == [EMAIL_LINE]
    newer(order_id, "2100-01-02T10:00:00Z", customer={"email": "third@example.com"})
    assert overruled(order_id) == [EMAIL_LINE]  # that one overruled nothing of ours


def test_a_shop_that_repeats_the_correction(people: dict[str, int]) -> None:
    order_id = corrected(people)
    newer(order_id, customer={"email": "right@example.com"})
    assert len(history(order_id)) == 1


@pytest.mark.parametrize(("status", "label"), [("terminated", "Terminated"), ("not paid", "Not paid")])
def test_an_order_that_was_refunded_here(people: dict[str, int], status: str, label: str) -> None:
    order_id = order()
    act(people["anna"], request_refund, order_id, reason="x")
    [[request_id]] = run("SELECT id FROM refund_request WHERE order_id = :id", id=order_id)
    act(people["rita"], take_request, request_id)
    act(
        people["rita"], fulfil_request, request_id,
        positions=[1], expected_amount=Decimal(10), delete_codes=False, stop_renewal=False, note="x",
    )  # fmt: skip
    newer(order_id)  # still paid, as far as the shop knows: our word counts
    assert overruled(order_id) == []
    newer(order_id, "2100-01-02T10:00:00Z", status=status, pay_date=None)
    assert overruled(order_id) == [f"The status has been set to {label} by the shop. "]
    newer(order_id, "2100-01-03T10:00:00Z", status=status, pay_date=None, order_name="Another")
    assert len(overruled(order_id)) == 1


def test_documents_about_orders_that_nobody_touched(people: dict[str, int]) -> None:
    order_id = order()
    newer(order_id, status="deleted", customer={"email": "other@example.com"})
    newer(order_id, "2100-01-02T10:00:00Z", status="terminated")
    assert history(order_id) == []
