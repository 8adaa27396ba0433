"""Resending a licence, correcting the e-mail it goes to, and internal notes."""

from typing import Any

import pytest

from db.connections.engine import anonymous_transaction, viewer_transaction
from services.errors import InvalidInput, NotAllowed, OrderNotFound
from services.order_actions.customer_email import CustomerErased, EmailChangedMeanwhile, correct_email
from services.order_actions.licences import CodeNotFound, LicenceNotSent, resend_licence
from services.order_actions.notes import add_note
from services.orders.customer_page import get_customer_order
from services.orders.detail import get_order
from tests.support import factories
from tests.support.factories import act, document, history, item, mails, run

CUSTOMER = {"email": "ines@example.com", "first_name": "Inês", "last_name": "Araújo"}


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    factories.take_in(
        document(order_id=1, checkout_page="shop-b", items=[item(activation_codes=[{"code": "B"}])])
    )
    anna = factories.account("anna", stores=["shop-a"])
    factories.take_in(
        document(order_id=2, checkout_page="no-delivery", items=[item(activation_codes=[{"code": "N"}])])
    )
    run("UPDATE checkout_page SET delivery_allowed = false WHERE name = 'no-delivery'")
    run("INSERT INTO account_page SELECT :id, id FROM checkout_page WHERE name = 'no-delivery'", id=anna)
    return {"anna": anna, "carla": factories.account("carla", role="analyst", stores=["shop-a"])}  # fmt: skip


def order(**fields: object) -> int:
    made = document(**{"items": [item(activation_codes=[{"code": "LIVE-1"}])], "customer": CUSTOMER} | fields)
    factories.take_in(made)
    return int(made["order_id"])


def code_of(order_id: int, code: str = "LIVE-1") -> int:
    [[code_id]] = run(
        "SELECT id FROM activation_code WHERE order_id = :id AND code = :code", id=order_id, code=code
    )
    return int(code_id)


def resend(account_id: int, order_id: int, code_id: int | None = None) -> str:
    return act(account_id, resend_licence, order_id, code_id=code_id or code_of(order_id))


# Resend


def test_it_goes_to_the_customer_and_never_to_the_licence_user(people: dict[str, int]) -> None:
    order_id = order(
        items=[
            item(name="Internet Security", activation_codes=[{"code": "AAAA-1"}, {"code": "AAAA-2"}],
                 license_user={"email": "user@example.org", "first_name": "Uwe"}),
        ]
    )  # fmt: skip
    sentence = resend(people["anna"], order_id, code_of(order_id, "AAAA-2"))
    assert sentence == f"The licence of order A{order_id:010} is being sent to ines@example.com."
    [mail] = mails(order_id)
    assert (mail.to_address, mail.to_name, mail.state) == ("ines@example.com", "Inês Araújo", "queued")
    assert mail.subject == f"Your licence for order A{order_id:010}"
    for body in (mail.text_body, mail.html_body):
        assert "AAAA-2" in body and "AAAA-1" not in body and "Internet Security" in body
        assert "user@example.org" not in body and "Uwe" not in body
    # The history gets its line when the mail server has accepted it (test_mail.py).
    assert history(order_id) == []


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"status": "not paid", "pay_date": None}, "only while the order is Paid"),
        ({"status": "deleted"}, "only while the order is Paid"),
        ({"status": "terminated"}, "only while the order is Paid"),
        ({"customer": {"erased": True}}, "deleted at their request"),
        ({"customer": {"first_name": "Ines"}}, "no e-mail to send it to"),
        ({"customer": {"email": "not an address"}}, "Mail cannot be sent to"),
        ({"items": [item(activation_codes=[{"code": "LIVE-1", "deleted": True}])]}, "activation code was deleted"),
    ],
)  # fmt: skip
def test_no_resend(fields: dict[str, Any], why: str, people: dict[str, int]) -> None:
    order_id = order(**fields)
    before = factories.everything()
    with pytest.raises(LicenceNotSent, match=why):
        resend(people["anna"], order_id)
    assert factories.everything() == before


def test_no_resend_where_delivery_is_not_allowed(people: dict[str, int]) -> None:
    with pytest.raises(LicenceNotSent, match="Delivery is not allowed"):
        resend(people["anna"], 2, code_of(2, "N"))


def test_a_code_of_another_order_is_none_of_this(people: dict[str, int]) -> None:
    order_id = order()
    for code_id in (code_of(order()), code_of(1, "B"), 0, -5):
        with pytest.raises(CodeNotFound):
            act(people["anna"], resend_licence, order_id, code_id=code_id)


# The e-mail


def test_a_corrected_email_gets_the_licence(people: dict[str, int]) -> None:
    order_id = order()
    sentence = act(
        people["anna"], correct_email, order_id, email=" ana@example.com ", expected="ines@example.com"
    )
    assert sentence == f"The e-mail of order A{order_id:010} is now ana@example.com."
    assert history(order_id) == [
        "The customer's e-mail was corrected from ines@example.com to ana@example.com"
    ]
    [audited] = run("SELECT details FROM audit_log WHERE order_id = :id", id=order_id)
    assert audited.details == {"old": "ines@example.com", "new": "ana@example.com"}
    resend(people["anna"], order_id)
    assert [mail.to_address for mail in mails(order_id)] == ["ana@example.com"]


def test_one_that_was_missing(people: dict[str, int]) -> None:
    order_id = order(customer={"first_name": "Ines"})
    act(people["anna"], correct_email, order_id, email="ana@bücher.example", expected=None)
    assert history(order_id) == ["The customer's e-mail was corrected from none to ana@bücher.example"]


@pytest.mark.parametrize(
    "email",
    ["", "ana", "ana@", "@example.com", "a@b@c", "a b@example.com", "a@example.com, b@example.com",
     "a@example.com\r\nBcc: b@example.com", "Ana <a@example.com>", "a@exa mple.com", "a@-example.com", "a@example..com",
     f"{'a' * 250}@example.com", "a\u202e@example.com", "ines@example.com"],
)  # fmt: skip
def test_what_is_no_address_is_refused(email: str, people: dict[str, int]) -> None:
    order_id = order()
    with pytest.raises(InvalidInput) as raised:
        act(people["anna"], correct_email, order_id, email=email, expected="ines@example.com")
    assert raised.value.field == "email"
    assert run("SELECT email FROM orders WHERE order_id = :id", id=order_id) == [("ines@example.com",)]


def test_somebody_else_was_faster(people: dict[str, int]) -> None:
    order_id = order()
    act(people["anna"], correct_email, order_id, email="ana@example.com", expected="ines@example.com")
    with pytest.raises(EmailChangedMeanwhile):
        act(people["anna"], correct_email, order_id, email="ina@example.com", expected="ines@example.com")


def test_an_erased_customer_gets_no_email(people: dict[str, int]) -> None:
    order_id = order(customer={"erased": True})
    with pytest.raises(CustomerErased):
        act(people["anna"], correct_email, order_id, email="ana@example.com", expected=None)


@pytest.mark.parametrize(
    ("updated", "email"),
    [
        (None, "ana@example.com"),
        ("2026-03-02T00:00:00Z", "ana@example.com"),
        ("2199-01-01T00:00:00Z", "new@example.com"),
    ],
)  # fmt: skip
def test_a_document_older_than_the_correction_does_not_undo_it(
    updated: str | None, email: str, people: dict[str, int]
) -> None:
    order_id = order()
    act(people["anna"], correct_email, order_id, email="ana@example.com", expected="ines@example.com")
    later = document(order_id=order_id, customer=CUSTOMER | {"email": "new@example.com", "phone": "123"})
    factories.take_in(later | ({"updated_at": updated} if updated else {}))
    assert run("SELECT email, phone FROM orders WHERE order_id = :id", id=order_id) == [(email, "123")]


# Notes


def test_a_note_is_shown_to_the_team_and_to_nobody_else(people: dict[str, int]) -> None:
    order_id = order()
    assert act(people["anna"], add_note, order_id, text="Calls <b>often</b>") == (
        f"The note was added to order A{order_id:010}."
    )
    with viewer_transaction(people["anna"]) as connection:
        [line] = get_order(connection, factories.viewer(people["anna"]), order_id).history
    assert (line.kind, line.author, "".join(part.text for part in line.parts)) == (
        "note",
        "anna",
        "Calls <b>often</b>",
    )
    [[page_key]] = run("SELECT page_key FROM orders WHERE order_id = :id", id=order_id)
    with anonymous_transaction() as connection:
        assert "often" not in repr(get_customer_order(connection, str(page_key)))
    resend(people["anna"], order_id)
    assert "often" not in repr(mails(order_id))


@pytest.mark.parametrize(
    ("text", "why"), [(" ", "needed"), ("x" * 2001, "2,000 characters at most; this has 2,001")]
)
def test_a_note_has_words_and_not_too_many(text: str, why: str, people: dict[str, int]) -> None:
    with pytest.raises(InvalidInput, match=why):
        act(people["anna"], add_note, order(), text=text)


# Who may not


@pytest.mark.parametrize(
    ("work", "named"),
    [
        (resend_licence, {"code_id": 1}),
        (correct_email, {"email": "x@example.com", "expected": "ines@example.com"}),
        (add_note, {"text": "x"}),
    ],
)
@pytest.mark.parametrize(("name", "error"), [("carla", NotAllowed), ("anna", OrderNotFound)])
def test_who_may_not(
    work: object, named: dict[str, Any], name: str, error: type, people: dict[str, int]
) -> None:
    order_id = order() if error is NotAllowed else 1
    before = factories.everything()
    with pytest.raises(error):
        act(people[name], work, order_id, **named)  # type: ignore[arg-type]
    assert factories.everything() == before
    assert run("SELECT succeeded FROM audit_log ORDER BY id DESC LIMIT 1") == [(False,)]
