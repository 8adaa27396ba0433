"""What a help desk is told of a customer, and of which orders it is told nothing."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from db.connections.engine import app_engine, owner_engine
from services.connections.inbox import Answer
from services.helpdesk.customer import HelpDeskCustomer, look_up
from tests.services.helpdesk.support import body_of, help_desk, lower, signed
from tests.support import factories
from tests.support.factories import document, item, run

OTHER_STORE = "Nothing of shop-b"
INES = "ines@example.com"


def order(order_id: int, day: int, **given: Any) -> dict[str, Any]:
    """A paid order of March; the later the day, the newer."""
    return document(
        order_id=order_id,
        create_date=f"2026-03-{day:02}T10:00:00+00:00",
        pay_date=f"2026-03-{day:02}T10:05:00+00:00",
        **given,
    )


@pytest.fixture(scope="module")
def desk(database: str) -> tuple[int, str]:
    """Ines has eight orders in shop-a: seven paid, one not; and one of shop-b, which is nobody's business here."""
    renewing = {"id": "S1", "type": "AR", "next_renewal_date": "2027-03-01T00:00:00Z"}
    cancelled = {"id": "S2", "type": "PMR", "status": "cancelled"}
    for_ever = {
        "id": "S3",
        "type": "AR",
        "status": "active",
        "next_renewal_date": "9999-12-31T23:59:59-12:00",
    }
    other = {"id": "S4", "type": "none", "status": "active"}
    factories.take_in(
        order(1, 1, items=[item(subscription=renewing | {"status": "active"})]),
        order(2, 2, items=[item(subscription=renewing | {"status": "active", "parent_order_id": 1}, name="Renewed")]),
        order(3, 3, items=[item(subscription=cancelled)], currency="USD"),
        order(4, 4, items=[item(subscription=for_ever, name="For ever")]),
        order(5, 5, items=[item(subscription=other)], customer={"email": "INES@Example.com"}),
        order(6, 6, items=[item(activation_codes=[{"code": "SECRET-CODE-1"}])]),
        order(7, 7, customer={"email": "ines@home.example", "first_name": "Inês", "company_name": "Araújo & Co"}),
        document(order_id=8, status="not paid", pay_date=None, create_date="2026-03-08T10:00:00+00:00"),
        order(9, 9, checkout_page="shop-b", customer={"email": INES, "first_name": OTHER_STORE}),
        order(10, 10, customer={"email": "somebody@else.example", "first_name": "Somebody"}),
    )  # fmt: skip
    run(
        "INSERT INTO refund_request (order_id, checkout_page_id, reason, requester_name, requester_email) "
        "SELECT order_id, checkout_page_id, 'wrong', 'Anna', 'anna@x.example' FROM orders WHERE order_id IN (6, 9)"
    )
    return help_desk("shop-a")


def asked(key: str, address: str | None = "192.0.2.9", **customer: Any) -> HelpDeskCustomer:
    body = body_of(**customer)
    answer = look_up(key, lower(signed(body)), body, address=address)
    assert isinstance(answer, HelpDeskCustomer)
    return answer


def test_the_customer_is_what_the_orders_of_the_store_say(desk: tuple[int, str]) -> None:
    customer = asked(desk[1], email=INES, emails=[INES, "ines@home.example"])
    assert (customer.name, customer.company) == ("Inês Araújo", None)  # of the newest order that has a name
    assert customer.orders == 8
    assert [(total.currency, total.orders, total.amount) for total in customer.totals] == [
        ("EUR", 6, Decimal("60.00")),
        ("USD", 1, Decimal("10.00")),
    ]
    assert [order.order_id for order in customer.newest] == [8, 7, 6, 5, 4]
    assert [order.status for order in customer.newest] == ["not paid", *["paid"] * 4]
    assert customer.newest[2].refund_status == "requested"
    assert [(refund.order_id, refund.status) for refund in customer.refunds] == [(6, "requested")]


def test_running_renewals_are_shown_once_with_their_newest_order(desk: tuple[int, str]) -> None:
    customer = asked(desk[1], email=INES)
    assert customer.renewals == 2
    shown = {renewal.product: renewal for renewal in customer.next_renewals}
    assert {name: renewal.order_id for name, renewal in shown.items()} == {"Renewed": 2, "For ever": 4}
    assert shown["Renewed"].next_renewal_at is not None
    assert shown["For ever"].next_renewal_at is None, "a renewal in the year 9999 never comes"


@pytest.mark.parametrize(
    ("customer", "orders"),
    [
        ({"email": "ines@home.example"}, [7]),
        ({"email": " INES@HOME.example "}, [7]),
        ({"email": "ines@home"}, []),
        ({"email": "%@home.example"}, []),
        ({"email": "nobody@example.com"}, []),
        ({}, []),
    ],
)
def test_a_whole_e_mail_is_compared(
    desk: tuple[int, str], customer: dict[str, Any], orders: list[int]
) -> None:
    assert [order.order_id for order in asked(desk[1], **customer).newest] == orders


def test_nothing_of_another_store_is_told(desk: tuple[int, str]) -> None:
    customer = asked(desk[1], email=INES, emails=["somebody@else.example"])
    assert 9 not in [order.order_id for order in customer.newest]
    assert OTHER_STORE not in repr(customer)
    other = asked(help_desk("shop-b")[1], email=INES)
    assert [order.order_id for order in other.newest] == [9]
    assert [refund.order_id for refund in other.refunds] == [9]


def test_no_activation_code_is_told(desk: tuple[int, str]) -> None:
    assert "SECRET-CODE" not in repr(asked(desk[1], email=INES))


def test_an_erased_customer_is_nobody(desk: tuple[int, str]) -> None:
    factories.take_in(order(11, 11, customer={"email": "gone@example.com"}))
    assert asked(desk[1], email="gone@example.com").orders == 1
    factories.take_in(order(11, 11, customer={"erased": True}, updated_at="2026-04-01T00:00:00Z"))
    assert asked(desk[1], email="gone@example.com").orders == 0


def audit_rows(after: int = 0) -> list[Any]:
    return list(run("SELECT * FROM audit_log WHERE id > :after ORDER BY id", after=after))


def newest_audit_row() -> int:
    [[number]] = run("SELECT coalesce(max(id), 0) FROM audit_log")
    return int(number)


def test_every_look_up_is_recorded_without_the_e_mail(desk: tuple[int, str]) -> None:
    before = newest_audit_row()
    asked(desk[1], email=INES)
    asked(desk[1], email="nobody@example.com", address=None)
    rows = audit_rows(before)
    assert [(row.action, row.account_id, row.address, row.succeeded) for row in rows] == [
        ("help desk look-up", None, "192.0.2.9", True),
        ("help desk look-up", None, None, True),
    ]
    assert rows[0].details == {"connection": desk[0], "e-mails": 1, "found": 7, "shown": [8, 6, 5, 4, 3]}
    assert rows[1].details == {"connection": desk[0], "e-mails": 1, "found": 0, "shown": []}
    assert "@" not in str([row.details for row in rows])


def test_what_is_refused_tells_and_records_nothing(desk: tuple[int, str]) -> None:
    before = newest_audit_row()
    body = body_of(email=INES)
    switched_off, webhooks = help_desk("shop-a"), help_desk("shop-a", kind="webhooks")
    run(
        "UPDATE connection SET switched_off_at = now(), switched_off_because = 'x' WHERE id = :id",
        id=switched_off[0],
    )
    unknown = [look_up(key, lower(signed(body)), body, address=None)
               for key in ("c_unknown", switched_off[1], webhooks[1])]  # fmt: skip
    assert unknown == [Answer(404, None, "There is no such address.")] * 3, "all three alike"
    for headers in ({}, signed(body, "another"), signed(body + b" ")):
        refused = look_up(desk[1], lower(headers), body, address=None)
        assert isinstance(refused, Answer) and refused.status == 401
    wrong = b'{"customer": 7}'
    refused = look_up(desk[1], lower(signed(wrong)), wrong, address=None)
    assert isinstance(refused, Answer) and (refused.status, refused.field) == (422, "customer")
    assert audit_rows(before) == []


def test_a_connection_asks_only_so_often(database: str, desk: tuple[int, str]) -> None:
    connection_id, key = help_desk("shop-a")
    run("UPDATE connection SET rate_per_minute = 12 WHERE id = :id", id=connection_id)
    body = body_of(email=INES)
    answers = [look_up(key, lower(signed(body)), body, address=None) for _ in range(3)]
    assert [answer.status for answer in answers if isinstance(answer, Answer)] == [429]
    assert isinstance(asked(desk[1], email=INES), HelpDeskCustomer), "each connection for itself"


def test_the_connection_shows_when_it_was_last_used(desk: tuple[int, str]) -> None:
    connection_id, key = help_desk("shop-a")
    asked(key, email=INES)
    [[at]] = run("SELECT last_received_at FROM connection WHERE id = :id", id=connection_id)
    assert at is not None


def test_the_database_tells_no_other_role_and_no_other_connection(desk: tuple[int, str]) -> None:
    webhooks, _ = help_desk("shop-a", kind="webhooks")
    with pytest.raises(ProgrammingError, match="no help desk"):
        run("SELECT help_desk_customer(:id, ARRAY['x'], NULL)", id=webhooks)
    for statement in ("help_desk_customer(1, ARRAY['x'], NULL)", "help_desk_summary(1, ARRAY['x'])"):
        with app_engine().begin() as connection, pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text(f"SELECT {statement}"))


def test_orders_are_found_by_the_index_of_e_mails(desk: tuple[int, str]) -> None:
    with owner_engine().connect() as connection:
        body = connection.execute(
            text("SELECT prosrc FROM pg_proc WHERE proname = 'help_desk_summary'")
        ).scalar_one()
        # A store of few orders is read through whatever index there is; all of it is undone.
        connection.execute(
            text(
                "INSERT INTO orders (order_id, checkout_page_id, order_name, status, created_at, currency, total, "
                "email) SELECT 10^12 + n, p.id, 'N' || n, 'not paid', now(), 'EUR', 1, n || '@many.example' "
                "FROM checkout_page p, generate_series(1, 2000) n WHERE p.name = 'shop-a'"
            )
        )
        connection.execute(text("ANALYZE orders"))
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        connection.exec_driver_sql(f"PREPARE told(integer, text[]) AS {body}")
        [[store]] = connection.execute(text("SELECT id FROM checkout_page WHERE name = 'shop-a'"))
        rows = connection.exec_driver_sql(f"EXPLAIN EXECUTE told({store}, ARRAY['{INES}', 'x'])")
        plan = "\n".join(row[0] for row in rows)
        connection.exec_driver_sql("DEALLOCATE told")
        connection.rollback()
    assert "using orders_email" in plan or "on orders_email" in plan, plan
    for table in ("orders", "subscription", "order_item", "refund_request"):
        assert f"Seq Scan on {table} " not in plan, plan
