"""A new activation code in place of a compromised one: typed here; with later documents of the shop."""

from typing import Any

import pytest

from db.connections.engine import viewer_transaction
from services.errors import InvalidInput, NotAllowed, OrderNotFound
from services.order_actions.licences import CodeNotFound, LicenceNotSent, resend_licence
from services.order_actions.reissue import (
    LicenceNotReissued,
    NobodyToAsk,
    ask_for_reissue,
    reissue_licence,
)
from tests.support import factories
from tests.support.connected import connect, events
from tests.support.factories import act, document, history, item, mails, refused_by_the_database, run

OLD, NEW = "AAAA-1111", "BBBB-2222"


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    factories.take_in(
        document(order_id=1, checkout_page="shop-b", items=[item(activation_codes=[{"code": "FOREIGN"}])])
    )
    return {
        "anna": factories.account("anna", stores=["shop-a", "told"]),
        "carla": factories.account("carla", role="analyst", stores=["shop-a"]),
    }


def sold(*codes: str, **given: Any) -> dict[str, Any]:
    return item(activation_codes=[{"code": code} for code in codes], **given)


def order(*items: dict[str, Any], **given: Any) -> int:
    made = document(items=list(items) or [sold(OLD)], **given)
    factories.take_in(made)
    return int(made["order_id"])


def newer(order_id: int, *items: dict[str, Any], at: str = "2100-01-01T10:00:00Z", **given: Any) -> None:
    factories.take_in(document(order_id=order_id, updated_at=at, items=list(items), **given))


def codes(order_id: int) -> list[tuple[int, int, str, bool]]:
    """(item, number, code, deleted) of each code."""
    rows = run(
        "SELECT position, number, code, deleted FROM activation_code WHERE order_id = :id ORDER BY 1, 2",
        id=order_id,
    )
    return [tuple(row) for row in rows]


def code_of(order_id: int, code: str = OLD) -> int:
    rows = run("SELECT id FROM activation_code WHERE order_id = :id AND code = :code", id=order_id, code=code)
    return int(rows[0][0])


def reissue(people: dict[str, int], order_id: int, new_code: str = NEW, *, old: str = OLD) -> str:
    return act(
        people["anna"], reissue_licence, order_id,
        code_id=code_of(order_id, old), new_code=new_code, reason="Posted in a forum",
    )  # fmt: skip


def test_the_old_code_is_deleted_and_the_new_one_mailed(people: dict[str, int]) -> None:
    order_id = order(sold("KEPT", OLD), sold("OTHER", name="Other", price="1.00", amount="1.00"))
    sentence = reissue(people, order_id)
    assert sentence == (
        f"The activation code of order A{order_id:010} was replaced; the new one is being sent to ines@example.com."
    )
    assert codes(order_id) == [
        (1, 1, "KEPT", False), (1, 2, OLD, True), (1, 3, NEW, False), (2, 1, "OTHER", False),
    ]  # fmt: skip
    assert history(order_id) == [
        f"The activation code {OLD} was deleted and replaced by {NEW} (item 1). Reason: Posted in a forum"
    ]
    [mail] = mails(order_id)
    assert (mail.kind, mail.to_address, mail.position, mail.number) == ("licence", "ines@example.com", 1, 3)
    for body in (mail.text_body, mail.html_body):
        assert NEW in body and OLD not in body and "takes the place of the earlier one" in body
    with pytest.raises(LicenceNotSent, match="was deleted"):
        act(people["anna"], resend_licence, order_id, code_id=code_of(order_id))


def test_every_copy_in_the_order_goes_with_it(people: dict[str, int]) -> None:
    order_id = order(
        sold(OLD),
        sold(OLD.lower(), name="Second", price="1.00", amount="1.00"),
        sold(OLD, name="Third", price="2.00", amount="2.00", refunded=True),
    )
    reissue(people, order_id)
    assert codes(order_id) == [
        (1, 1, OLD, True), (1, 2, NEW, False), (2, 1, OLD.lower(), True), (2, 2, NEW, False), (3, 1, OLD, True),
    ]  # fmt: skip
    assert len(mails(order_id)) == 1


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"status": "not paid", "pay_date": None}, "only while the order is Paid"),
        ({"status": "deleted"}, "only while the order is Paid"),
        ({"customer": {"erased": True}}, "deleted at their request"),
        ({"customer": {"first_name": "Ines"}}, "no e-mail to send it to"),
        ({"items": [sold(OLD, refunded=True)]}, "item is refunded"),
        ({"items": [item(activation_codes=[{"code": OLD, "deleted": True}])]}, "was deleted"),
    ],
)
def test_when_it_is_not_allowed(people: dict[str, int], given: dict[str, Any], why: str) -> None:
    items = given.pop("items", [])
    order_id = order(*items, **given)
    with pytest.raises(LicenceNotReissued, match=why):
        reissue(people, order_id)
    assert history(order_id) == [] and mails(order_id) == []


@pytest.mark.parametrize(
    ("new_code", "why"),
    [
        (" ", "is needed"),
        (OLD.lower(), "is to be replaced"),
        ("other", "has this code already"),
        ("GONE", "deleted from this order before"),
        ("two\nlines", "on one line"),
        ("x" * 501, "500 characters at most"),
    ],
)
def test_codes_that_are_no_new_ones(people: dict[str, int], new_code: str, why: str) -> None:
    second = item(
        name="Second", price="1.00", amount="1.00",
        activation_codes=[{"code": "OTHER"}, {"code": "GONE", "deleted": True}],
    )  # fmt: skip
    order_id = order(sold(OLD), second)
    with pytest.raises(InvalidInput, match=why) as refused:
        reissue(people, order_id, new_code)
    assert refused.value.field == "new_code"
    assert history(order_id) == []


def test_who(people: dict[str, int]) -> None:
    order_id = order()
    asked: dict[str, Any] = {"code_id": code_of(order_id), "new_code": NEW, "reason": "x"}
    with pytest.raises(NotAllowed):
        act(people["carla"], reissue_licence, order_id, **asked)
    with pytest.raises(OrderNotFound):
        act(people["anna"], reissue_licence, 1, **asked)
    with pytest.raises(CodeNotFound):
        act(people["anna"], reissue_licence, order(), **asked)
    with pytest.raises(InvalidInput, match="Reason is needed"):
        act(people["anna"], reissue_licence, order_id, **asked | {"reason": ""})
    with pytest.raises(NobodyToAsk):
        act(people["anna"], ask_for_reissue, order_id, code_id=code_of(order_id), reason="x")


def test_connections_are_told(people: dict[str, int]) -> None:
    shop = connect("told")
    order_id = order(checkout_page="told")
    reissue(people, order_id)
    [event] = events(order_id)
    assert (event.type, event.told) == ("license.reissued", [shop])
    assert {name: event.data[name] for name in ("item_id", "code_number", "old_code", "new_code")} == {
        "item_id": "1", "code_number": 2, "old_code": OLD, "new_code": NEW,
    }  # fmt: skip


# Later documents


def test_a_document_that_has_only_the_old_code(people: dict[str, int]) -> None:
    order_id = order()
    reissue(people, order_id)
    newer(order_id, sold(OLD))
    assert codes(order_id) == [(1, 1, OLD, True), (1, 2, NEW, False)]
    newer(order_id, sold(OLD.lower(), "MORE"), at="2100-01-02T10:00:00Z")  # in another spelling
    assert codes(order_id) == [
        (1, 1, OLD, True), (1, 2, NEW, False), (1, 3, OLD.lower(), True), (1, 4, "MORE", False),
    ]  # fmt: skip


def test_a_document_that_has_only_the_new_code(people: dict[str, int]) -> None:
    """The mail that waits refers to the code by its number, which stays."""
    order_id = order()
    reissue(people, order_id)
    newer(order_id, sold(NEW))
    assert codes(order_id) == [(1, 1, OLD, True), (1, 2, NEW, False)]
    newer(order_id, sold(OLD, NEW), at="2100-01-02T10:00:00Z")
    assert codes(order_id) == [(1, 1, OLD, True), (1, 2, NEW, False)]
    # The shop has had the new one, so it is the shop's to take away.
    newer(order_id, sold("THIRD"), at="2100-01-03T10:00:00Z")
    assert codes(order_id) == [(1, 1, OLD, True), (1, 3, "THIRD", False)]


def test_a_document_without_codes_and_one_about_another_item(people: dict[str, int]) -> None:
    second = sold("OTHER", item_id="2", name="Second", price="1.00", amount="1.00")
    order_id = order(sold(OLD, item_id="1"), second)
    reissue(people, order_id)
    newer(order_id, item(item_id="1"), second)
    assert codes(order_id)[:2] == [(1, 1, OLD, True), (1, 2, NEW, False)]
    # The old code on another item is as dead.
    newer(
        order_id, item(item_id="1"), second | {"activation_codes": [{"code": OLD}]}, at="2100-01-02T10:00:00Z"
    )
    assert codes(order_id) == [(1, 1, OLD, True), (1, 2, NEW, False), (2, 1, OLD, True)]


def test_a_shop_that_deletes_the_new_code_is_believed(people: dict[str, int]) -> None:
    order_id = order()
    reissue(people, order_id)
    newer(order_id, item(activation_codes=[{"code": NEW, "deleted": True}]))
    assert codes(order_id) == [(1, 1, OLD, True), (1, 2, NEW, True)]


def test_a_second_reissue(people: dict[str, int]) -> None:
    order_id = order()
    reissue(people, order_id)
    reissue(people, order_id, "CCCC-3333", old=NEW)
    newer(order_id, sold(OLD))
    assert codes(order_id) == [(1, 1, OLD, True), (1, 2, NEW, True), (1, 3, "CCCC-3333", False)]


@pytest.mark.parametrize("statement", [
    "UPDATE activation_code SET deleted = true WHERE order_id = %s",
    "UPDATE activation_code SET deleted = false, replaced_at = now() WHERE order_id = %s",
    (
        "INSERT INTO activation_code (order_id, position, number, checkout_page_id, code) "
        "SELECT order_id, 1, 9, checkout_page_id, 'X' FROM orders WHERE order_id = %s"
    ),
])  # fmt: skip
def test_the_database_takes_nothing_but_a_replacement(people: dict[str, int], statement: str) -> None:
    order_id = order()
    with refused_by_the_database(), viewer_transaction(people["anna"]) as connection:
        connection.exec_driver_sql(statement, (order_id,))
