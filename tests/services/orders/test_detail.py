"""One order in full: what is shown, what is hidden, and what leads to other orders."""

from typing import Any

import pytest

from db.connections.engine import anonymous_transaction, viewer_transaction
from services.errors import OrderNotFound
from services.orders.customer_page import CustomerPageNotFound, get_customer_document, get_customer_order
from services.orders.detail import get_order, get_orders
from services.orders.documents import DocumentNotFound, get_document
from services.orders.models import OrderDetail
from tests.support import factories
from tests.support.factories import document, item, run


def subscription(**fields: object) -> dict[str, Any]:
    return {"id": "S1", "type": "AR", "status": "active"} | fields


DOCUMENTS = {
    # The parent order and its unpaid child, of one subscription.
    100: document(order_id=100, items=[item(subscription=subscription())],
                  related_orders=[{"order_id": 101, "relation": "child"}]),
    101: document(order_id=101, status="not paid", pay_date=None,
                  items=[item(subscription=subscription(status="not paid", parent_order_id=100))]),
    102: document(order_id=102, status="not paid", pay_date=None, items=[item(subscription=subscription(id="S2"))]),
    103: document(order_id=103, items=[item(subscription=subscription(id="S3", type="MANUAL"))]),
    104: document(order_id=104, items=[item(subscription=subscription(id="S4", type="PMR", status="cancelled"))]),
    105: document(
        order_id=105,
        items=[
            item(activation_codes=[{"code": "LIVE"}, {"code": "GONE", "deleted": True}]),
            item(item_id="b", delivered=False, license_user={"erased": True}),
        ],
        related_orders=[{"order_id": 106, "relation": "typo"}, {"order_id": 900, "relation": "typo"}],
        history=[
            {"date": "2026-03-01T10:06:00Z", "kind": "relation", "text": "see A0000000106, 900 and 0000000100"},
            {"date": "2026-03-02T10:06:00Z", "kind": "document", "text": "Refund document credit.pdf"},
        ],
        documents=[{"name": "credit.pdf", "kind": "refund", "content_base64": "JVBERg=="}],
        additional_data=[{"name": "utm", "value": ""}],
    ),
    106: document(order_id=106),
    107: document(order_id=107, customer={"erased": True, "country": "DE"},
                  items=[item(activation_codes=[{"code": "ERASED-1"}])]),
    108: document(order_id=108, status="deleted", items=[item(activation_codes=[{"code": "UNPAID"}])]),
    900: document(order_id=900, checkout_page="shop-b", related_orders=[{"order_id": 105, "relation": "typo"}],
                  documents=[{"name": "b.pdf", "kind": "payment", "content_base64": "JVBERg=="}]),
}  # fmt: skip


@pytest.fixture(scope="module")
def anna(database: str) -> int:
    factories.take_in(*DOCUMENTS.values())
    return factories.account("anna", stores=["shop-a"])


def get(account_id: int, order_id: int) -> OrderDetail:
    with viewer_transaction(account_id) as connection:
        return get_order(connection, factories.viewer(account_id), order_id)


@pytest.mark.parametrize("order_id", [900, 999, 0, -1, 2**63, 10**40])
def test_a_foreign_order_and_none_at_all_are_answered_alike(order_id: int, anna: int) -> None:
    with pytest.raises(OrderNotFound) as raised:
        get(anna, order_id)
    assert str(raised.value) == OrderNotFound.message


def test_orders_come_as_asked_for_and_foreign_ones_are_left_out(anna: int) -> None:
    with viewer_transaction(anna) as connection:
        details = get_orders(connection, factories.viewer(anna), [106, 900, 100, 999])
    assert [order.order_id for order in details] == [106, 100]


def test_parent_and_child_show_their_subscription_and_each_other(anna: int) -> None:
    parent, child = get(anna, 100).items[0].subscription, get(anna, 101).items[0].subscription
    assert parent and child
    assert [(o.order_id, o.relation) for o in parent.related] == [(101, "child")]
    assert [(o.order_id, o.relation) for o in child.related] == [(100, "parent")]
    assert [(o.order_id, o.relation) for o in get(anna, 101).related] == [(100, "parent")]


@pytest.mark.parametrize(
    ("order_id", "why"), [(102, "an unpaid parent order"), (103, "another renewal mechanism")]
)
def test_no_subscription_is_shown_for(order_id: int, why: str, anna: int) -> None:
    assert get(anna, order_id).items[0].subscription is None


def test_a_cancelled_subscription_is_deactivated(anna: int) -> None:
    subscription = get(anna, 104).items[0].subscription
    assert subscription is not None and not subscription.activated


def test_orders_in_the_history_lead_there_only_when_in_scope(anna: int) -> None:
    order = get(anna, 105)
    [newest, oldest] = order.history
    assert [(part.text, part.order_id) for part in oldest.parts if part.order_id] == [
        ("A0000000106", 106),
        ("0000000100", 100),
    ]
    assert "".join(part.text for part in oldest.parts) == "see A0000000106, 900 and 0000000100"
    assert newest.document_id == order.documents[0].id
    assert [(o.order_id, o.order_name, o.in_scope) for o in order.related] == [
        (106, "A0000000106", True),
        (900, None, False),
    ]


def test_codes_stand_by_their_items_deleted_ones_marked(anna: int) -> None:
    first, second = get(anna, 105).items
    assert [(code.code, code.deleted) for code in first.codes] == [("LIVE", False), ("GONE", True)]
    assert (second.codes, second.license_erased, second.delivered) == ((), True, False)


def test_an_erased_customer_has_no_personal_values(anna: int) -> None:
    order = get(anna, 107)
    assert order.customer_erased
    assert (order.email, order.customer_name, order.card_last_4, order.country) == (None, None, None, "DE")


def test_a_document_is_handed_out_in_scope_and_recorded(anna: int) -> None:
    [[own]] = run("SELECT id FROM order_document WHERE name = 'credit.pdf'")
    [[foreign]] = run("SELECT id FROM order_document WHERE name = 'b.pdf'")
    with viewer_transaction(anna) as connection:
        document = get_document(connection, factories.viewer(anna), own, address="192.0.2.9")
    assert (document.name, document.content) == ("credit.pdf", b"%PDF")
    assert run("SELECT account_id, order_id, address FROM audit_log WHERE action = 'document download'") == [
        (anna, 105, "192.0.2.9")
    ]
    for document_id in (foreign, 10**30, 0, -1):
        with pytest.raises(DocumentNotFound), viewer_transaction(anna) as connection:
            get_document(connection, factories.viewer(anna), document_id, address=None)
    assert len(run("SELECT 1 FROM audit_log WHERE action = 'document download'")) == 1


def page_key(order_id: int) -> str:
    return str(run("SELECT page_key FROM orders WHERE order_id = :id", id=order_id)[0][0])


def test_the_customer_sees_live_codes_of_a_paid_order_only(anna: int) -> None:
    with anonymous_transaction() as connection:
        order = get_customer_order(connection, page_key(105))
        assert [line.codes for line in order.items] == [("LIVE",), ()]
        assert [name for _, name in order.documents] == ["credit.pdf"]
        assert get_customer_order(connection, page_key(108)).items[0].codes == ()


@pytest.mark.parametrize(
    "key", ["", "x", "00000000-0000-0000-0000-000000000000", "105", "' OR 1=1", "\0", "é" * 32]
)
def test_a_guessed_address_shows_nothing(key: str, anna: int) -> None:
    with anonymous_transaction() as connection, pytest.raises(CustomerPageNotFound):
        get_customer_order(connection, key)


def test_after_erasure_the_customers_page_is_gone(anna: int) -> None:
    with anonymous_transaction() as connection, pytest.raises(CustomerPageNotFound):
        get_customer_order(connection, page_key(107))


def test_a_key_opens_the_documents_of_its_own_order_only(anna: int) -> None:
    [[own]] = run("SELECT id FROM order_document WHERE name = 'credit.pdf'")
    with anonymous_transaction() as connection:
        assert get_customer_document(connection, page_key(105), own).content == b"%PDF"
        for key, number in ((page_key(106), own), (page_key(105), own + 1), (page_key(105), 10**30)):
            with pytest.raises(CustomerPageNotFound):
                get_customer_document(connection, key, number)
