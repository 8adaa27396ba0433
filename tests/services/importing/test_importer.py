"""Importing order documents: what is inserted, updated and left alone, and that a bad file leaves nothing."""

import json
from pathlib import Path

import pytest

from db.connections.engine import jobs_transaction
from services.importing.document import ImportLineError, iter_lines
from services.importing.importer import import_orders
from tests.support import factories
from tests.support.factories import document, item, run, take_in


def counts(*documents: factories.Document) -> tuple[int, int, int]:
    result = take_in(*documents)
    return result.inserted, result.updated, result.unchanged


def only(statement: str) -> object:
    [[value]] = run(statement)
    return value


FULL = document(
    order_id=42,
    order_id_1c="ALS-42",
    locale="de-DE",
    order_detail_url="https://shop.example/42",
    updated_at="2026-03-02T00:00:00+01:00",
    customer={
        "type": "legal", "country": "DE", "email": "A@B.example", "first_name": "Ä", "last_name": "ß", "phone": "+49 1",
        "vat_number": "DE1", "company_name": "C", "company_billing_address": "D", "company_delivery_address": "E",
    },
    payment={
        "payment_method": "Card", "payment_system_name": "Visa", "card_type": "V", "card_last_4": "0042",
        "card_expiration_date": "01/29", "provider": "stripe", "reference": "pi_1",
    },
    items=[
        item(
            sku="S", product_id="P",
            discount_percent="10", discount_amount="1.00", vat_amount="0.5", delivery="electronic",
            license_user={"first_name": "L", "last_name": "M", "email": "n@o.example"},
            activation_codes=[{"code": "K1"}, {"code": "K2", "deleted": True}],
            additional_fields=[{"name": "n", "value": "v"}],
            subscription={
                "id": "S1", "type": "AR", "status": "active", "parent_order_id": 7, "period": "P1Y",
                "next_renewal_date": "2027-03-01T00:00:00Z",
            },
        )
    ],
    additional_data=[{"name": "utm", "value": "x"}],
    related_orders=[{"order_id": 43, "relation": "typo"}],
    history=[{"date": "2026-03-01T10:06:00Z", "kind": "document", "text": "Refund document r.pdf"}],
    documents=[{"name": "r.pdf", "kind": "refund", "content_base64": "JVBERg=="}],
)  # fmt: skip


def stored() -> str:
    """Everything that the tables say of the orders, as one text; not what the portal itself adds."""
    parts = {
        "order_item": "to_jsonb(t)",
        "activation_code": "to_jsonb(t) - 'id'",
        "subscription": "to_jsonb(t)",
        "order_history": "to_jsonb(t) - 'id' - 'document_id'",
        "order_document": "to_jsonb(t) - 'id' - 'created_at'",
        "order_relation": "to_jsonb(t)",
        "orders": "to_jsonb(t) - 'page_key' - 'imported_at'",
    }
    rows = {table: run(f"SELECT {row} FROM {table} t ORDER BY 1") for table, row in parts.items()}
    return json.dumps(
        {table: [list(row) for row in table_rows] for table, table_rows in rows.items()}, ensure_ascii=False
    )


def test_every_field_arrives() -> None:
    assert counts(FULL) == (1, 0, 0)
    values = stored()
    for value in (
        "ALS-42",
        "de-DE",
        "shop.example/42",
        "A@B.example",
        "DE1",
        "0042",
        "01/29",
        "pi_1",
        "K1",
        "K2",
        "P1Y",
        "utm",
        "n@o.example",
    ):
        assert value in values, values
    assert only("SELECT count(*) FROM order_history h JOIN order_document d ON d.id = h.document_id") == 1
    assert only("SELECT additional_parameters->0->>'name' FROM orders") == "utm"
    assert only("SELECT active_subscription AND NOT cancelled_subscription AND delivered FROM orders") is True


def test_the_same_document_again_changes_nothing() -> None:
    take_in(FULL)
    before = stored(), run("SELECT xmin::text, page_key FROM orders")
    assert counts(dict(reversed(FULL.items()))) == (0, 0, 1)
    assert (stored(), run("SELECT xmin::text, page_key FROM orders")) == before


def test_a_newer_document_replaces_what_the_shop_said() -> None:
    take_in(FULL)
    key = only("SELECT page_key FROM orders")
    newer = document(
        order_id=42,
        updated_at="2026-03-03T00:00:00Z",
        status="not paid",
        pay_date=None,
        checkout_page="shop-b",
    )
    assert counts(newer) == (0, 1, 0)
    assert only("SELECT page_key FROM orders") == key
    updated = stored()
    run("DELETE FROM orders")
    take_in(newer)
    assert updated == stored()


def test_an_older_document_changes_nothing() -> None:
    take_in(FULL)
    before = stored()
    assert counts(document(order_id=42, updated_at="2026-03-01T23:59:59+01:00")) == (0, 0, 1)
    assert stored() == before


def test_of_two_documents_in_one_file_the_newer_one_stays() -> None:
    old, new = (
        document(order_id=9, order_name=f"N{n}", updated_at=f"2026-03-0{n}T00:00:00Z") for n in (1, 2)
    )
    assert counts(new, old) == (1, 0, 1)
    assert only("SELECT order_name FROM orders") == "N2"
    assert counts(old, new) == (0, 0, 2)


def test_what_the_portal_has_recorded_stays() -> None:
    take_in(FULL)
    run("UPDATE activation_code SET deleted = true WHERE code = 'K1'")
    run("UPDATE subscription SET status = 'cancelled', changed_at = '2026-03-05', changed_by = 'Anna'")
    run("INSERT INTO order_history (order_id, checkout_page_id, kind, text, source, author) "
        "SELECT order_id, checkout_page_id, 'note', 'called twice', 'portal', 'Anna' FROM orders")  # fmt: skip
    run("INSERT INTO refund_request (order_id, checkout_page_id, reason, requester_name, requester_email) "
        "SELECT order_id, checkout_page_id, 'r', 'n', 'e' FROM orders")  # fmt: skip
    assert counts(FULL | {"updated_at": "2026-03-04T00:00:00Z", "locale": "fr"}) == (0, 1, 0)
    assert only("SELECT deleted FROM activation_code WHERE code = 'K1'") is True
    assert only("SELECT status FROM subscription") == "cancelled"
    assert only("SELECT count(*) FROM order_history WHERE kind = 'note'") == 1
    assert only("SELECT refund_status FROM orders") == "requested"
    # Dated after what the portal did, the document's word counts again.
    assert counts(FULL | {"updated_at": "2026-03-06T00:00:00Z"}) == (0, 1, 0)
    assert only("SELECT status FROM subscription") == "active"


def test_who_was_erased_stays_erased() -> None:
    take_in(FULL)
    run("UPDATE orders SET customer_erased = true, email = NULL, first_name = NULL, last_name = NULL, phone = NULL, "
        "vat_number = NULL, company_name = NULL, company_billing_address = NULL, company_delivery_address = NULL, "
        "card_last_4 = NULL, card_expiration_date = NULL")  # fmt: skip
    assert counts(FULL | {"updated_at": "2026-04-01T00:00:00Z"}) == (0, 1, 0)
    assert only("SELECT customer_erased AND email IS NULL AND card_last_4 IS NULL FROM orders") is True


def test_a_bad_line_leaves_nothing_of_the_file() -> None:
    good = json.dumps(document())
    bad = json.dumps(document(items=[item(price=12.5)]))
    lines = "\n".join([*[json.dumps(document()) for _ in range(2_500)], good, bad]).encode().splitlines()
    with pytest.raises(ImportLineError) as raised, jobs_transaction() as connection:
        import_orders(connection, enumerate(lines, 1))
    assert (raised.value.line, raised.value.field) == (2_502, "items[0].price")
    assert only("SELECT count(*) FROM orders") == 0


def test_unknown_keys_are_left_out_and_counted() -> None:
    result = take_in(
        document(colour="red"), document(items=[item(size=1), item(size=2, item_id="b")], colour="blue")
    )
    assert result.unknown_keys == {"colour": (2, 1), "items[].size": (1, 2)}


def test_hostile_texts_are_stored_as_they_are() -> None:
    hostile = "'; DROP TABLE orders; -- <script>\\N\t\\. \u202e ![x](http://e.example) 👨‍👩‍👧"
    take_in(
        document(
            customer={"first_name": hostile}, items=[item(name=hostile, activation_codes=[{"code": hostile}])]
        )
    )
    assert run(
        "SELECT first_name, name, code FROM orders JOIN order_item USING (order_id) "
        "JOIN activation_code USING (order_id)"
    ) == [(hostile, hostile, hostile)]


def test_lines_are_read_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf" + b"\r\n".join(json.dumps(document()).encode() for _ in range(3)) + b"\r\n\r\n"
    )
    with path.open("rb") as file, jobs_transaction() as connection:
        assert import_orders(connection, iter_lines(file)).inserted == 3
