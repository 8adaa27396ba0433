"""Digests to refund operators: once, when something is new, about the stores they see."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from db.connections.engine import viewer_transaction
from services.delivery.digests import write_due_digests
from services.errors import InvalidInput
from services.refunds.digest import DigestChoice, Every, find_own_digest, next_digest, set_own_digest
from tests.support import factories
from tests.support.factories import document, run


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    for order_id, store in ((1, "shop-a"), (2, "shop-b"), (3, "shop-a"), (4, "shop-a")):
        factories.take_in(document(order_id=order_id, checkout_page=store))
    return {
        "rita": factories.account("rita", role="refund_operator", stores=["shop-a"]),
        "otto": factories.account("otto", role="refund_operator", stores=["shop-b"]),
        "admin": factories.account("admin", role="administrator"),
    }


@pytest.fixture(autouse=True)
def _nothing_told(people: dict[str, int]) -> Iterator[None]:
    for table in ("refund_digest", "mail", "refund_request"):
        run(f"DELETE FROM {table}")
    run("UPDATE checkout_page SET refund_limit_hours = NULL")
    yield
    run(
        "UPDATE account SET disabled_at = NULL, role = CASE WHEN name = 'admin' THEN role ELSE 'refund_operator' END"
    )


def wants(account_id: int, choice: DigestChoice | None = DigestChoice(Every.HOUR), zone: str = "UTC") -> None:
    with viewer_transaction(account_id) as connection:
        set_own_digest(connection, factories.viewer(account_id), choice, time_zone=zone)


def asked(order_id: int, *, minutes_ago: int) -> None:
    run(
        "INSERT INTO refund_request (order_id, checkout_page_id, reason, requester_name, requester_email, "
        "requested_at) SELECT order_id, checkout_page_id, 'My card is 4242', 'n', 'n@example.com', "
        "now() - :minutes * interval '1 minute' FROM orders WHERE order_id = :id",
        id=order_id,
        minutes=minutes_ago,
    )


def due(since_minutes: int = 60) -> None:
    """An hour has passed."""
    run(
        "UPDATE refund_digest SET next_at = now(), told_until = now() - :minutes * interval '1 minute'",
        minutes=since_minutes,
    )


def digests() -> list[Any]:
    return list(run("SELECT * FROM mail WHERE kind = 'refund_digest' ORDER BY to_address"))


def test_each_is_told_of_what_is_new_in_their_stores(people: dict[str, int]) -> None:
    for name in people:
        wants(people[name])
    due()
    asked(1, minutes_ago=10)
    asked(3, minutes_ago=90)  # told an hour ago
    assert write_due_digests() == 2
    admin, rita = digests()
    assert rita.to_address == "rita@test.example" and rita.account_id == people["rita"]
    assert rita.subject == "[Esupport] Refund queue: 1 new"
    assert "2 requests wait to be taken." in rita.text_body
    assert "A0000000001, shop-a, EUR 10.00, waiting for 10 min" in rita.text_body
    assert "A0000000003" not in rita.text_body and "4242" not in rita.text_body + rita.html_body
    assert admin.subject == rita.subject
    # At most one an hour, and none about the same.
    assert write_due_digests() == 0
    run("UPDATE refund_digest SET next_at = now()")
    assert write_due_digests() == 0
    assert len(digests()) == 2


def test_what_has_become_overdue_is_told_once(people: dict[str, int]) -> None:
    wants(people["rita"])
    run("UPDATE checkout_page SET refund_limit_hours = 2 WHERE name = 'shop-a'")
    asked(1, minutes_ago=150)
    asked(3, minutes_ago=60 * 24)  # overdue for long: told before
    due()
    assert write_due_digests() == 1
    [mail] = digests()
    assert mail.subject == "[Esupport] Refund queue: 1 overdue"
    assert (
        "Waiting longer than the checkout page allows:\nA0000000001, shop-a, EUR 10.00, waiting for 2 h"
        in (mail.text_body)
    )


def test_several_workers_write_each_digest_once(people: dict[str, int]) -> None:
    for name in ("rita", "admin"):
        wants(people[name])
    asked(1, minutes_ago=10)
    due()
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: write_due_digests(), range(4))) == 2
    assert [mail.to_address for mail in digests()] == ["admin@test.example", "rita@test.example"]


@pytest.mark.parametrize("change", ["disabled_at = now()", "role = 'specialist'"])
def test_who_may_not_see_the_queue_any_more_is_told_nothing(change: str, people: dict[str, int]) -> None:
    wants(people["rita"])
    asked(1, minutes_ago=10)
    due()
    run(f"UPDATE account SET {change} WHERE name = 'rita'")
    assert write_due_digests() == 0
    assert run("SELECT next_at > now() FROM refund_digest") == [(True,)]


def test_the_choice_is_ones_own_and_can_be_taken_back(people: dict[str, int]) -> None:
    asks = factories.viewer(people["rita"])
    daily = DigestChoice(Every.DAY, 9)
    wants(people["rita"], daily, "Europe/Berlin")
    with viewer_transaction(people["rita"]) as connection:
        assert find_own_digest(connection, asks) == daily
        for wrong, field in ((DigestChoice(Every.DAY), "hour"), (DigestChoice(Every.HOUR, 3), "hour")):
            with pytest.raises(InvalidInput) as refusal:
                set_own_digest(connection, asks, wrong, time_zone="UTC")
            assert refusal.value.field == field
    with viewer_transaction(people["otto"]) as connection:
        assert find_own_digest(connection, factories.viewer(people["otto"])) is None
    wants(people["rita"], None)
    assert run("SELECT count(*) FROM refund_digest") == [(0,)]


def test_a_day_begins_where_the_person_is() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    for now, expected in (
        (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 9, tzinfo=berlin)),  # clocks go forward
        (datetime(2026, 7, 1, 6, 59, tzinfo=UTC), datetime(2026, 7, 1, 9, tzinfo=berlin)),
        (datetime(2026, 7, 1, 7, 0, tzinfo=UTC), datetime(2026, 7, 2, 9, tzinfo=berlin)),
    ):
        assert next_digest(Every.DAY, 9, "Europe/Berlin", now=now) == expected
    assert next_digest(Every.HOUR, None, "UTC", now=datetime(2026, 7, 1, 6, 59, 3, tzinfo=UTC)) == datetime(
        2026, 7, 1, 7, tzinfo=UTC
    )
