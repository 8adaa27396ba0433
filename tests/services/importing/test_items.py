"""Items of newer documents: matched by their own id or by what they are, and what belongs to them goes along."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.importing.document import ImportLineError
from services.importing.item_matching import DocumentItem, StoredItem, match_items
from services.importing.refusals import WrongField
from services.refunds.processing import fulfil_request, take_request
from services.refunds.requests import request_refund
from tests.support import factories
from tests.support.factories import act, document, item, run, take_in


@pytest.fixture(scope="module")
def rita(database: str) -> int:
    take_in(document(order_id=1))
    return factories.account("rita", role="refund_operator", stores=["shop-a"])


def sum_of(order_id: int, *positions: int) -> Decimal:
    [[amount]] = run(
        "SELECT sum(amount) FROM order_item WHERE order_id = :id AND position = ANY (:positions)",
        id=order_id,
        positions=list(positions),
    )
    return Decimal(amount)


def refund(rita: int, order_id: int, *positions: int) -> None:
    act(rita, request_refund, order_id, reason="x")
    [[request]] = run("SELECT max(id) FROM refund_request")
    act(rita, take_request, request)
    act(
        rita,
        fulfil_request,
        request,
        positions=list(positions),
        expected_amount=sum_of(order_id, *positions),
        delete_codes=True,
        stop_renewal=False,
        note="x",
    )


def things(order_id: int = 9) -> dict[str, tuple[Any, ...]]:
    """(position, refunded, codes with a minus before deleted ones) of each item by its name."""
    rows = run(
        "SELECT i.*, coalesce((SELECT string_agg(CASE WHEN deleted THEN '-' ELSE '' END || code, ' ' ORDER BY number) "
        "FROM activation_code c WHERE c.order_id = i.order_id AND c.position = i.position), '') AS codes "
        "FROM order_item i WHERE order_id = :id ORDER BY position",
        id=order_id,
    )
    return {row.name: (row.position, row.refunded, row.codes) for row in rows}


def antivirus(**fields: Any) -> dict[str, Any]:
    return item(name="Antivirus", price="4.00", amount="4.00", activation_codes=[{"code": "AV"}]) | fields


def photo(**fields: Any) -> dict[str, Any]:
    return item(name="Photo", price="6.00", amount="6.00", activation_codes=[{"code": "PH"}]) | fields


@pytest.mark.parametrize("by_0_1_0", [False, True])
def test_the_refunded_mark_follows_the_item_to_another_place(rita: int, by_0_1_0: bool) -> None:
    take_in(document(order_id=9, items=[antivirus(), photo()]))
    if by_0_1_0:  # which stored the place as the id
        run("UPDATE order_item SET item_id = position::text WHERE order_id = 9")
    refund(rita, 9, 1)
    take_in(document(order_id=9, items=[photo(), antivirus()], locale="de"))
    assert things() == {"Antivirus": (1, True, "-AV"), "Photo": (2, False, "PH")}
    take_in(document(order_id=9, items=[item(name="New"), photo(), antivirus()], locale="fr"))
    assert things() == {"Antivirus": (1, True, "-AV"), "Photo": (2, False, "PH"), "New": (3, False, "")}
    assert run("SELECT position FROM refund_request_item WHERE order_id = 9") == [(1,)]


def test_a_refunded_item_that_the_document_lost_stays(rita: int) -> None:
    take_in(
        document(
            order_id=9, items=[antivirus(subscription={"id": "S", "type": "AR", "status": "active"}), photo()]
        )
    )
    refund(rita, 9, 1)
    take_in(document(order_id=9, items=[photo(), item(name="Backup")]))
    assert things() == {"Antivirus": (1, True, "-AV"), "Photo": (2, False, "PH"), "Backup": (3, False, "")}
    assert run("SELECT subscription_id FROM subscription") == [("S",)]
    take_in(document(order_id=9, items=[photo(), item(name="Backup"), antivirus()], locale="de"))
    assert things()["Antivirus"] == (1, True, "-AV") and len(things()) == 3


def test_the_place_of_an_item_that_went_is_not_given_to_another(rita: int) -> None:
    take_in(document(order_id=9, items=[antivirus(), photo()]))
    refund(rita, 9, 2)
    run("UPDATE order_item SET refunded = false WHERE order_id = 9")  # another system took the mark off
    take_in(document(order_id=9, items=[antivirus(), item(name="Backup")]))
    assert things()["Backup"][0] == 3


def test_the_id_of_a_refunded_item_that_names_another_product_leaves_it_alone(rita: int) -> None:
    take_in(document(order_id=9, items=[antivirus(item_id="a"), photo(item_id="b")]))
    refund(rita, 9, 1)
    take_in(document(order_id=9, items=[item(name="Other", item_id="a"), photo(item_id="b")]))
    assert things() == {"Antivirus": (1, True, "-AV"), "Photo": (2, False, "PH"), "Other": (3, False, "")}
    assert run("SELECT position, item_id FROM order_item WHERE order_id = 9 ORDER BY 1") == [
        (1, None),
        (2, "b"),
        (3, "a"),
    ]


def test_items_keep_their_places_when_ids_come_in_another_sequence(rita: int) -> None:
    take_in(document(order_id=9, items=[antivirus(item_id="1"), photo(item_id="2")]))
    refund(rita, 9, 1)
    take_in(document(order_id=9, items=[photo(item_id="1"), antivirus(item_id="2")], locale="de"))
    assert things() == {"Antivirus": (1, True, "-AV"), "Photo": (2, False, "PH")}
    take_in(document(order_id=9, items=[antivirus(item_id="x"), photo(item_id="y")], locale="fr"))
    take_in(
        document(order_id=9, items=[photo(item_id="y", price="7.00", amount="7.00"), antivirus(item_id="x")])
    )
    assert things() == {"Antivirus": (1, True, "-AV"), "Photo": (2, False, "PH")}


def test_items_with_and_without_ids_in_one_document() -> None:
    take_in(document(order_id=9, items=[antivirus(item_id="2"), photo(), item(name="Backup")]))
    assert [p for p, *_ in things().values()] == [1, 2, 3]
    take_in(document(order_id=9, items=[item(name="Backup"), photo(), antivirus(item_id="2")], locale="de"))
    assert {name: p for name, (p, *_) in things().items()} == {"Antivirus": 1, "Photo": 2, "Backup": 3}


def test_equal_lines_are_told_apart_by_their_codes_and_quantities(rita: int) -> None:
    first, two = antivirus(activation_codes=[{"code": "K1"}]), antivirus(activation_codes=[{"code": "K2"}])
    take_in(document(order_id=9, items=[first, two]))
    refund(rita, 9, 1)
    take_in(document(order_id=9, items=[two, first], locale="de"))
    rows = run("SELECT position, code, deleted FROM activation_code WHERE order_id = 9 ORDER BY 1")
    assert rows == [(1, "K1", True), (2, "K2", False)]
    take_in(document(order_id=9, items=[two], locale="fr"))
    assert [
        tuple(row) for row in run("SELECT position, refunded FROM order_item WHERE order_id = 9 ORDER BY 1")
    ] == [
        (1, True),
        (2, False),
    ]


def test_what_cannot_be_told_apart_is_refused_with_its_field(rita: int) -> None:
    take_in(
        document(
            order_id=9, items=[antivirus(activation_codes=[]), antivirus(activation_codes=[], price="5.00")]
        )
    )
    refund(rita, 9, 1)
    unclear = [antivirus(activation_codes=[], price=price) for price in ("6.00", "7.00")]
    with pytest.raises(ImportLineError) as raised:
        take_in(document(order_id=8), document(order_id=9, items=unclear))
    assert (raised.value.line, raised.value.field) == (2, "items[0].item_id")
    assert "item 1, “Antivirus”, which was refunded" in str(raised.value)
    assert run("SELECT FROM orders WHERE order_id = 8") == []


def test_a_code_on_two_items_is_deleted_only_where_it_was(rita: int) -> None:
    shared = [{"code": "SAME"}]
    take_in(document(order_id=9, items=[antivirus(activation_codes=shared), photo(activation_codes=shared)]))
    refund(rita, 9, 1)
    take_in(
        document(
            order_id=9,
            items=[photo(activation_codes=shared), antivirus(activation_codes=shared)],
            locale="de",
        )
    )
    assert things() == {"Antivirus": (1, True, "-SAME"), "Photo": (2, False, "SAME")}


def test_an_erased_licence_user_stays_erased_in_another_place() -> None:
    user = {"email": "user@example.com"}
    take_in(document(order_id=9, items=[antivirus(license_user=user), photo()]))
    run(
        "UPDATE order_item SET license_erased = true, license_email = NULL WHERE order_id = 9 AND position = 1"
    )
    take_in(document(order_id=9, items=[photo(), antivirus(license_user=user)], locale="de"))
    rows = run("SELECT name, license_erased, license_email FROM order_item WHERE order_id = 9 ORDER BY 1")
    assert rows == [("Antivirus", True, None), ("Photo", False, None)]


texts = st.sampled_from(["a", "b", "c"])
lines = st.builds(
    DocumentItem,
    item_id=st.none() | st.sampled_from(["x", "y", "1", "2"]),
    product_id=st.none() | texts,
    sku=st.none() | texts,
    name=texts,
    price=st.sampled_from([Decimal(1), Decimal(2)]),
    quantity=st.sampled_from([1, 2]),
    amount=st.sampled_from([Decimal(1), Decimal(2)]),
    refunded=st.booleans(),
    codes=st.lists(texts, max_size=2).map(tuple),
)


def unique_ids(lines: list[DocumentItem]) -> bool:
    ids = [line.item_id for line in lines if line.item_id]
    return len(ids) == len(set(ids))


@given(
    st.lists(st.tuples(lines, st.booleans()), max_size=4).filter(
        lambda f: unique_ids([line for line, _ in f])
    ),
    st.lists(lines, min_size=1, max_size=4).filter(unique_ids),
    st.randoms(),
)
def test_no_two_lines_are_one_item_and_no_refunded_item_changes_its_product(
    there: list[tuple[DocumentItem, bool]], sent: list[DocumentItem], random: Any
) -> None:
    stored = [
        StoredItem(
            **{name: getattr(line, name) for name in DocumentItem.__slots__},
            position=position,
            refunded_here=refunded,
        )
        for position, (line, refunded) in enumerate(there, 1)
    ]
    try:
        matched = match_items(stored, sent, last_position=lambda: len(stored))
    except WrongField as refused:
        assert refused.field.startswith("items[")
        return
    assert len(set(matched.positions) | set(matched.remaining)) == len(sent) + len(matched.remaining)
    by_position = {line.position: line for line in stored}
    for position, line in zip(matched.positions, sent, strict=True):
        if (old := by_position.get(position)) and old.refunded_here:
            same = [
                getattr(old, name) == getattr(line, name)
                for name in ("product_id", "sku", "name")
                if getattr(old, name) is not None and getattr(line, name) is not None
            ]
            assert any(same)
            assert None in (old.product_id, line.product_id) or old.product_id == line.product_id
    assert {line.position for line in stored if line.refunded_here} <= set(matched.positions) | set(
        matched.remaining
    )
    same = [DocumentItem(*(getattr(s, name) for name in DocumentItem.__slots__)) for s in stored]
    identical = match_items(stored, same or sent, last_position=lambda: len(stored))
    assert not stored or sorted(identical.positions) == [line.position for line in stored]
