"""The demo obeys the rules that imports and actions enforce: each statement lists the orders that break one."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.connections.engine import jobs_transaction
from services.demo.fill import fill_demo
from services.demo.orders import demo_orders
from services.importing.document import parse_order
from tests.support.factories import run

NOW = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)
RULES = dict(
    part.split("\n", 1)
    for part in Path(__file__).with_name("demo_rules.sql").read_text(encoding="utf-8").split("-- rule: ")[1:]
)


@pytest.fixture(scope="module")
def demo(database: str) -> Iterator[None]:
    """Four demos of other seeds and lengths, one beside the other."""
    for seed, count in ((1, 500), (2, 500), (7, 130), (3, 2_000)):
        with jobs_transaction() as connection:
            assert fill_demo(connection, count, seed=seed, now=NOW).inserted == count
    yield


@pytest.mark.parametrize("rule", RULES)
def test_every_demo_order_obeys(demo: None, rule: str) -> None:
    broken = run(
        f"SELECT o.order_id, o.order_name, o.status FROM orders o WHERE {RULES[rule]} ORDER BY 1",
        **({"now": NOW} if ":now" in RULES[rule] else {}),
    )
    assert broken[:10] == []


def test_a_second_fill_adds_nothing(demo: None) -> None:
    before = run("SELECT count(*) FROM refund_request"), run("SELECT count(*) FROM order_history")
    with jobs_transaction() as connection:
        assert fill_demo(connection, 500, seed=2, now=NOW).unchanged == 500
    assert (run("SELECT count(*) FROM refund_request"), run("SELECT count(*) FROM order_history")) == before


def test_the_documents_alone_are_the_same_for_the_same_seed() -> None:
    first, two = ([order.document for order in demo_orders(300, seed=4, today=NOW.date())] for _ in range(2))
    assert first == two
    assert all(parse_order(json.dumps(document), 1).warnings == () for document in first)


def test_the_documents_of_a_seed_and_a_day_never_change() -> None:
    documents = [order.document for order in demo_orders(500, seed=1, today=NOW.date())]
    for document in documents:
        for file in document["documents"]:
            del file["content_base64"]  # compressed: its bytes differ between versions of zlib
    digest = hashlib.sha256(json.dumps(documents, ensure_ascii=False).encode()).hexdigest()
    assert digest == "19a3e2d2adfed1147c31b7eab8fca8020db5f856857aaefca851206cf45424bd"
