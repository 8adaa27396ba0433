"""The customer is told of a refund: where the store wants it, in their language, once it is carried out."""

from typing import Any
from uuid import uuid4

import pytest

from db.connections.engine import viewer_transaction
from services.actions import ActionRequest, perform
from services.errors import InvalidInput, NotAllowed
from services.mail.customer_texts import RefundText
from services.privacy.erasure import erase_personal_data, preview_erasure
from services.refunds.mail_texts import change_text, find_texts, preview_text, reset_text
from tests.services.refunds.support import fulfil, order, requested
from tests.support import factories
from tests.support.factories import act, history, item, mails, run

TWO = [item(name="Antivirus Pro"), item(item_id="b", name="VPN", price="5.00", amount="5.00")]


@pytest.fixture(autouse=True)
def told(people: dict[str, int]) -> int:
    """The store whose customers are told."""
    run("DELETE FROM mail_text")
    [[store]] = run("UPDATE checkout_page SET refund_mail = true WHERE name = 'shop-a' RETURNING id")
    return int(store)


def customer_mails(order_id: int) -> list[Any]:
    return [mail for mail in mails(order_id) if mail.kind == "customer_refund"]


def refunded(people: dict[str, int], *, positions: tuple[int, ...] = (1,), **fields: Any) -> int:
    order_id = order(**fields)
    fulfil(people, requested(people, order_id, taken_by="rita"), positions=list(positions))
    return order_id


def test_full_and_partial_refunds_are_told_in_the_language_of_the_order(people: dict[str, int]) -> None:
    [full] = customer_mails(refunded(people, locale="de-AT"))
    assert full.subject.startswith("Rückerstattung Ihrer Bestellung A")
    assert full.to_address == "ines@example.com" and full.to_name == "Inês Araújo"
    assert "10,00\N{NO-BREAK SPACE}EUR" in full.text_body and "Guten Tag Inês Araújo," in full.text_body
    assert full.account_id == people["rita"] and full.state == "queued"
    [partial] = customer_mails(refunded(people, locale="fi", items=TWO, positions=(2,)))
    assert partial.subject.startswith("Your partial refund")
    assert "EUR 5.00" in partial.text_body and "VPN × 1" in partial.text_body
    assert "Antivirus Pro" not in partial.text_body


def test_nobody_is_told_unless_the_store_wants_it(people: dict[str, int]) -> None:
    run("UPDATE checkout_page SET refund_mail = false WHERE name = 'shop-a'")
    order_id = refunded(people)
    assert customer_mails(order_id) == []
    assert not any("customer" in text for text in history(order_id))


@pytest.mark.parametrize(
    ("customer", "reason"),
    [
        ({"email": "not an address"}, "Mail cannot be sent to this e-mail address."),
        ({"first_name": "Ines"}, "The order has no e-mail address."),
        ({"erased": True}, "The customer's data was deleted."),
    ],
)
def test_a_customer_who_cannot_be_told_is_said_in_the_history(
    customer: dict[str, Any], reason: str, people: dict[str, int]
) -> None:
    order_id = refunded(people, customer=customer)
    assert customer_mails(order_id) == []
    assert f"No e-mail about the refund was sent to the customer. {reason}" in history(order_id)


def test_an_erasure_takes_the_mail_along(people: dict[str, int]) -> None:
    order_id = refunded(people, customer={"email": "gone@example.com", "first_name": "Gundula"})
    with viewer_transaction(people["admin"]) as connection:
        seen = preview_erasure(connection, factories.viewer(people["admin"]), email="gone@example.com")
    assert seen.mails == 1
    erasing = ActionRequest(key=uuid4(), address=None)
    perform(
        factories.viewer(people["admin"]),
        erasing,
        erase_personal_data,
        email="gone@example.com",
        expected=seen.parts,
    )
    [mail] = customer_mails(order_id)
    assert (mail.to_address, mail.to_name, mail.text_body, mail.html_body) == (None, None, "deleted", None)
    assert mail.state == "failed" and "Gundula" not in mail.subject
    assert "An e-mail was taken back: the customer's data was deleted." in history(order_id)


def test_a_stores_own_text_is_used_until_it_is_reset(people: dict[str, int], told: int) -> None:
    own: Any = {
        "subject": "Geld zurück: {{ order }}",
        "body": "{{ customer }}: {{ order }}, {{ sum }}, Ihr {{ store }}",
    }
    where: dict[str, Any] = {"kind": RefundText.FULL, "language": "de"}
    assert "was saved" in act(people["admin"], change_text, told, **where, **own)
    act(people["admin"], change_text, told, **where, **own)
    order_id = refunded(people, locale="de", customer={"email": "a@example.com", "first_name": "<b>Ana</b>"})
    [mail] = customer_mails(order_id)
    assert mail.subject.startswith("Geld zurück: A")
    assert mail.text_body.startswith("<b>Ana</b>: A") and "&lt;b&gt;Ana&lt;/b&gt;" in mail.html_body
    with viewer_transaction(people["admin"]) as connection:
        texts = find_texts(connection, factories.viewer(people["admin"]), told)
    assert [key for key, text in texts.items() if text.is_own] == [(RefundText.FULL, "de")]
    act(people["admin"], reset_text, told, **where)
    [built_in] = customer_mails(refunded(people, locale="de"))
    assert built_in.subject.startswith("Rückerstattung")


def test_texts_are_for_administrators_and_checked(people: dict[str, int], told: int) -> None:
    text: dict[str, Any] = {
        "kind": RefundText.FULL, "language": "en", "subject": "x", "body": "{{ order }} {{ sum }}",
    }  # fmt: skip
    with pytest.raises(NotAllowed):
        act(people["rita"], change_text, told, **text)
    with pytest.raises(InvalidInput) as refusal:
        act(people["admin"], change_text, told, **text | {"body": "{{ order.x }}"})
    assert refusal.value.field == "body"
    with pytest.raises(InvalidInput, match="no texts in this language"):
        act(people["admin"], change_text, told, **text | {"language": "tlh"})
    with viewer_transaction(people["admin"]) as connection:
        shown = preview_text(connection, factories.viewer(people["admin"]), told, **text)
    assert shown.text_body == "A0012345678 EUR 1,234.50"
    assert run("SELECT count(*) FROM mail_text") == [(0,)]
