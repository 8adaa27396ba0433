"""What becomes of a shop's messages: merged as the import merges, in any order, beside everybody else."""

import logging
import threading
from typing import Any

import pytest

from db.connections.engine import jobs_transaction, owner_engine
from services.connections.applying import apply_batch
from services.connections.order_merging import BUSY, FAILED, FOREIGN_ORDER
from services.delivery.incoming import apply_incoming
from tests.services.connections.support import connect, inbox, states
from tests.support.factories import Document, document, item, run, take_in

pytestmark = pytest.mark.usefixtures("nothing_yet")


def order(order_id: int = 7, **more: Any) -> Document:
    return document(order_id=order_id, **more)


def items(order_id: int = 7) -> list[tuple[Any, ...]]:
    rows = run(
        f"SELECT position, item_id, name, amount::text FROM order_item WHERE order_id = {order_id} ORDER BY 1"
    )
    return [tuple(row) for row in rows]


def value(statement: str) -> Any:
    [[only]] = run(statement)
    return only


def test_an_order_that_arrives_is_there_and_again_changes_nothing() -> None:
    shop = connect()
    assert shop.send("order.upserted", order()).status == 202
    assert apply_incoming() == 1
    assert shop.send("order.upserted", order()).status == 202
    assert apply_incoming() == 1
    assert states() == ["applied", "unchanged"]
    assert value("SELECT order_name FROM orders") == "A0000000007"


def test_the_newest_document_counts_in_whichever_order_they_come() -> None:
    shop = connect()
    for day, name in ((3, "third"), (1, "first"), (2, "second")):
        shop.send("order.upserted", order(order_name=name, updated_at=f"2026-03-0{day}T00:00:00Z"))
    assert apply_incoming() == 3
    assert value("SELECT order_name FROM orders") == "third"
    assert states() == ["applied", "unchanged", "unchanged"]


def test_one_that_is_refused_takes_no_other_along() -> None:
    shop = connect()
    foreign = connect("shop-b")
    foreign.send("order.upserted", order(5, checkout_page="shop-b"))
    apply_incoming()
    for order_id in range(1, 9):
        shop.send("order.upserted", order(order_id))
    # What only the tables refuse.
    with owner_engine().begin() as owner:
        owner.exec_driver_sql("ALTER TABLE orders ADD CONSTRAINT no_three CHECK (order_id <> 3)")
    try:
        apply_incoming()
    finally:
        with owner_engine().begin() as owner:
            owner.exec_driver_sql("ALTER TABLE orders DROP CONSTRAINT no_three")
    refused = {row[0]: row[1:] for row in inbox("order_id, state, field, reason") if row[1] == "refused"}
    assert refused.keys() == {3, 5}
    assert refused[5] == ("refused", "data.order_id", FOREIGN_ORDER)
    assert "no_three" in refused[3][2]
    assert value("SELECT count(*) FROM orders") == 7
    assert value(
        "SELECT checkout_page_id = (SELECT id FROM checkout_page WHERE name = 'shop-b') FROM orders WHERE order_id = 5"
    )


def test_an_item_is_merged_and_the_others_stay() -> None:
    shop = connect()
    take_in(
        order(
            total="30.00",
            items=[item(item_id="a", name="A"), item(item_id="b", name="B", amount="20.00")],
            history=[{"date": "2026-03-01T10:00:00Z", "kind": "status", "text": "Paid"}],
            additional_data=[{"name": "utm", "value": "x"}],
        )
    )
    shop.send("order.item", order(items=[item(item_id="b", name="B", amount="25.00")]))
    shop.send("order.item", order(items=[item(item_id="c", name="C", amount="5.00")]))
    apply_incoming()
    assert states() == ["applied", "applied"]
    assert items() == [(1, "a", "A", "10.00"), (2, "b", "B", "25.00"), (3, "c", "C", "5.00")]
    assert str(value("SELECT total FROM orders")) == "40.00"
    assert value("SELECT text FROM order_history WHERE source = 'shop'") == "Paid"
    assert value("SELECT additional_parameters->0->>'name' FROM orders") == "utm"


@pytest.mark.parametrize("late", [False, True])
def test_items_that_look_alike_are_kept_apart_by_their_ids(late: bool) -> None:
    """One message per product of one order, in either order of their times."""
    shop = connect()
    for number, name in (("1", "Antivirus"), ("2", "Antivirus"), ("3", "Backup")):
        hour = 20 - int(number) if late else 10 + int(number)
        shop.send(
            "order.item",
            order(items=[item(item_id=number, name=name)], updated_at=f"2026-03-01T{hour}:00:00Z"),
        )
    apply_incoming()
    assert [row[1] for row in items()] == ["1", "2", "3"]
    assert str(value("SELECT total FROM orders")) == "30.00"


def test_a_late_item_changes_neither_newer_items_nor_the_order() -> None:
    shop = connect()
    shop.send("order.item", order(items=[item(item_id="a", name="A")], updated_at="2026-03-01T12:00:00Z"))
    shop.send(
        "order.item",
        order(
            status="not paid",
            items=[item(item_id="a", name="A before")],
            updated_at="2026-03-01T11:00:00Z",
        ),
    )
    shop.send(
        "order.item",
        order(status="not paid", items=[item(item_id="b", name="B")], updated_at="2026-03-01T11:00:00Z"),
    )
    apply_incoming()
    assert states() == ["applied", "unchanged", "applied"]
    assert [row[2] for row in items()] == ["A", "B"]
    assert value("SELECT status FROM orders") == "paid"


def test_an_item_that_a_later_whole_document_dropped_does_not_come_back() -> None:
    shop = connect()
    shop.send("order.upserted", order(items=[item(item_id="a")], updated_at="2026-03-01T12:00:00Z"))
    shop.send("order.item", order(items=[item(item_id="b")], updated_at="2026-03-01T11:00:00Z"))
    shop.send("order.item", order(items=[item(item_id="c")], updated_at="2026-03-01T14:00:00Z"))
    shop.send("order.item", order(items=[item(item_id="d")], updated_at="2026-03-01T13:00:00Z"))
    apply_incoming()
    assert [row[1] for row in items()] == ["a", "c", "d"]


def test_a_busy_order_waits_and_the_others_go_on() -> None:
    shop = connect()
    take_in(order(1), order(2))
    for order_id in (1, 2, 3):
        shop.send("order.upserted", order(order_id, order_name=f"new {order_id}"))
        shop.send("order.upserted", order(order_id, order_name=f"newer {order_id}"))
    with owner_engine().begin() as other:
        other.exec_driver_sql("SELECT FROM orders WHERE order_id = 1 FOR UPDATE")
        # An import that has not written its order yet.
        other.exec_driver_sql("INSERT INTO import_claim (key) VALUES (3)")
        apply_incoming()
        assert states() == ["waiting", "waiting", "applied", "applied", "waiting", "waiting"]
        assert inbox("reason")[0] == (BUSY,)
    run("UPDATE inbox SET next_attempt_at = now() WHERE state = 'waiting'")
    apply_incoming()
    assert states() == ["applied"] * 6
    assert run("SELECT order_name FROM orders ORDER BY 1") == [("newer 1",), ("newer 2",), ("newer 3",)]


def test_messages_of_one_order_wait_for_each_other_and_workers_share_the_rest() -> None:
    shop = connect()
    for number in range(60):
        shop.send("order.upserted", order(number % 6 + 1, order_name=f"{number:03}"))
    errors: list[Exception] = []

    def work() -> None:
        try:
            while apply_batch(3):
                pass
        except Exception as error:
            errors.append(error)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert errors == []
    apply_incoming()
    assert set(states()) == {"applied"}
    assert [name for (name,) in run("SELECT order_name FROM orders ORDER BY order_id")] == [
        f"{number:03}" for number in range(54, 60)
    ]


def test_a_worker_that_dies_gives_its_messages_back() -> None:
    shop = connect()
    shop.send("order.upserted", order())
    with pytest.raises(RuntimeError), jobs_transaction() as connection:
        connection.exec_driver_sql("SELECT FROM inbox FOR UPDATE")
        assert apply_batch() == []
        raise RuntimeError
    assert len(apply_batch()) == 1


def test_later_messages_of_an_order_go_along_and_stop_where_one_has_to_wait() -> None:
    shop = connect()
    take_in(order(1), order(2))
    for number in range(3):
        shop.send("order.upserted", order(1, order_name=f"1 {number}"))
        shop.send("order.upserted", order(2, order_name=f"2 {number}"))
    [[second]] = run("SELECT id FROM inbox WHERE order_id = 2 ORDER BY id OFFSET 1 LIMIT 1")
    run("UPDATE inbox SET next_attempt_at = now() + interval '1 hour' WHERE id = :id", id=second)
    assert len(apply_batch()) == 4
    assert states() == ["applied", "applied", "applied", "waiting", "applied", "waiting"]
    assert run("SELECT order_name FROM orders ORDER BY order_id") == [("1 2",), ("2 0",)]


def test_a_message_that_breaks_is_tried_again_and_given_up_in_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shop = connect()
    shop.send("order.upserted", order(1))
    shop.send("order.upserted", order(2))
    shop.send("order.upserted", order(2, order_name="later"))
    # An error that nobody has thought of.
    with owner_engine().begin() as owner:
        owner.exec_driver_sql(BREAKS_TWO)
    try:
        with caplog.at_level(logging.ERROR):
            for _ in range(10):
                run("UPDATE inbox SET next_attempt_at = now()")
                apply_incoming()
    finally:
        with owner_engine().begin() as owner:
            owner.exec_driver_sql("DROP FUNCTION break_two() CASCADE")
    assert "XX000" in caplog.text and "example.com" not in caplog.text
    assert inbox("order_id, state, reason")[:2] == [(1, "applied", None), (2, "refused", FAILED)]
    run("UPDATE inbox SET next_attempt_at = now()")
    apply_incoming()
    assert run("SELECT order_name FROM orders ORDER BY order_id") == [("A0000000001",), ("later",)]


BREAKS_TWO = """
CREATE FUNCTION break_two() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.order_id = 2 THEN RAISE USING MESSAGE = 'by ' || NEW.email, ERRCODE = 'XX000'; END IF;
        RETURN NEW;
    END $$;
CREATE TRIGGER break_two BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION break_two()
"""
