"""`python -m db …` as a person runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from db.connections.roles import libpq_url
from db.environment import PROJECT
from tests.support.databases import create_database, drop_database
from tests.support.factories import document, item

pytestmark = pytest.mark.slow


@pytest.fixture
def fresh(server_url: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The owner's address of a database in which nothing was done yet."""
    name = f"esupport_commands_{os.getpid()}"
    drop_database(server_url, name)
    yield create_database(server_url, name)
    drop_database(server_url, name)


def start(url: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "db", *arguments],
        cwd=PROJECT,
        env=os.environ | {"DATABASE_URL": url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def db(url: str, *arguments: str, piped: bytes = b"") -> tuple[int, str, str]:
    """(exit status, standard output, standard error)"""
    process = start(url, *arguments)
    out, err = process.communicate(piped, timeout=120)
    return process.returncode, out.decode(), err.decode()


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(libpq_url(url)) as connection:
        connection.execute("SET ROLE esupport_jobs")
        return connection.execute(statement).fetchall()


def jsonl(folder: Path, name: str, *documents: dict[str, Any]) -> str:
    path = folder / name
    path.write_text("".join(json.dumps(order) + "\n" for order in documents), encoding="utf-8")
    return str(path)


def test_two_migrations_at_once_both_end_well(fresh: str) -> None:
    both = [start(fresh, "migrate") for _ in range(2)]
    results = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], results
    assert db(fresh, "migrate")[:2] == (0, "The schema is up to date.\n")


def test_import_says_what_it_did_and_again_changes_nothing(fresh: str, tmp_path: Path) -> None:
    path = jsonl(tmp_path, "one file.jsonl", document(order_id=1), document(order_id=2, colour="red"))
    status, out, err = db(fresh, "import", path)
    assert (status, out.splitlines()[-1]) == (0, "2 inserted, 0 updated, 0 unchanged")
    assert "colour" in err
    assert db(fresh, "import", path)[1] == "0 inserted, 0 updated, 2 unchanged\n"
    piped = Path(path).read_bytes().replace(b"Araujo", b"X").replace(b"ines@", b"other@")
    assert db(fresh, "import", "-", piped=piped)[1] == "0 inserted, 2 updated, 0 unchanged\n"


def test_a_bad_line_is_named_and_nothing_of_its_file_is_kept(fresh: str, tmp_path: Path) -> None:
    good = jsonl(tmp_path, "good.jsonl", document(order_id=1))
    bad = jsonl(tmp_path, "bad.jsonl", document(order_id=2), document(order_id=3, items=[item(quantity=0)]))
    status, out, err = db(fresh, "import", good, bad)
    assert status == 1
    assert "bad.jsonl" in err and "Line 2, items[0].quantity: " in err and "Traceback" not in err
    assert rows(fresh, "SELECT order_id FROM orders") == [(1,)]
    for name in ("missing.jsonl", "."):
        status, out, err = db(fresh, "import", name)
        assert (status, out) == (1, "") and "Traceback" not in err


def test_the_demo_is_the_same_for_the_same_seed_and_keeps_off_what_is_there(fresh: str) -> None:
    assert db(fresh, "demo", "--orders", "200", "--seed", "5")[0] == 0
    statement = (
        "SELECT order_id, order_name, status, created_at, total, email, last_name FROM orders ORDER BY 1"
    )
    first = rows(fresh, statement)
    status, _, err = db(fresh, "demo")
    assert status == 1 and "--force" in err
    assert (
        db(fresh, "demo", "--orders", "200", "--seed", "5", "--force")[1]
        == "0 inserted, 0 updated, 200 unchanged\n"
    )
    assert rows(fresh, statement) == first
    assert db(fresh, "demo", "--orders", "20", "--seed", "6", "--force")[1].startswith("20 inserted")
    assert rows(fresh, "SELECT email, role, must_change_password FROM account ORDER BY id") == [
        ("admin@demo.example", "administrator", False),
        ("refunds@demo.example", "refund_operator", False),
        ("anna@demo.example", "specialist", False),
        ("boris@demo.example", "specialist", False),
        ("carla@demo.example", "analyst", False),
    ]


def test_the_demo_of_500_shows_in_every_store_all_that_an_order_can_be(fresh: str) -> None:
    assert db(fresh, "demo")[:2] == (0, "500 inserted, 0 updated, 0 unchanged\n")
    has = """
        SELECT count(DISTINCT status) = 4, count(DISTINCT refund_status) = 4,
            bool_or(delivered), bool_or(NOT delivered),
            bool_or(active_subscription), bool_or(cancelled_subscription), bool_or(customer_erased), bool_or(total = 0),
            bool_or(status = 'paid' AND email IS NULL AND NOT customer_erased), bool_or(detail_url IS NOT NULL),
            bool_or(last_name IS NULL AND NOT customer_erased), bool_or(company_name IS NOT NULL),
            bool_or(EXISTS (SELECT FROM activation_code c WHERE c.order_id = o.order_id AND c.deleted)),
            bool_or(EXISTS (SELECT FROM activation_code c WHERE c.order_id = o.order_id AND c.number > 2)),
            bool_or(EXISTS (SELECT FROM order_item i WHERE i.order_id = o.order_id AND i.license_erased)),
            bool_or(EXISTS (SELECT FROM subscription s WHERE s.order_id = o.order_id AND s.type = 'PMR')),
            bool_or(EXISTS (SELECT FROM subscription s JOIN orders p ON p.order_id = s.parent_order_id
                WHERE s.order_id = o.order_id AND o.status = 'not paid' AND p.status = 'paid')),
            bool_or(EXISTS (SELECT FROM order_relation r WHERE r.order_id = o.order_id AND r.relation = 'typo')),
            bool_or(EXISTS (SELECT FROM order_document d WHERE d.order_id = o.order_id AND d.kind = 'refund')),
            bool_or(EXISTS (SELECT FROM order_history h WHERE h.order_id = o.order_id AND h.kind = 'error')),
            bool_or(EXISTS (SELECT FROM refund_request r WHERE r.order_id = o.order_id AND r.result = 'partial')),
            bool_or(EXISTS (SELECT FROM refund_request r WHERE r.order_id = o.order_id AND r.result = 'failed'))
        FROM orders o GROUP BY checkout_page_id"""
    shown = rows(fresh, has)
    assert len(shown) == 3
    assert [all(row) for row in shown] == [True] * 3, shown
    assert rows(
        fresh,
        "SELECT min(created_at) > now() - interval '402 days', "
        "max(created_at) < date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' FROM orders",
    ) == [(True, True)]


def test_url_gives_an_address_that_works_and_is_not_the_owners(fresh: str) -> None:
    out = db(fresh, "url")[1]
    with psycopg.connect(out.strip()) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("esupport_app",)
    with psycopg.connect(db(fresh, "url", "--owner")[1].strip()) as connection:
        assert connection.execute("SELECT current_user").fetchone() != ("esupport_app",)


def test_an_account_is_made_with_a_one_time_password(fresh: str) -> None:
    db(fresh, "import", "-", piped=json.dumps(document()).encode())
    status, out, _ = db(
        fresh, "account", "new@test.example", "--name", "New", "--role", "specialist", "--store", "shop-a"
    )
    assert status == 0 and len(out.split()[-1]) == 16
    assert rows(fresh, "SELECT must_change_password FROM account JOIN account_page ON account_id = id") == [
        (True,)
    ]
    for wrong in (["NEW@test.example"], ["nonsense"], ["x@y.example", "--store", "nowhere"]):
        status, out, err = db(fresh, "account", *wrong, "--name", "N", "--role", "analyst")
        assert (status, out) == (1, "") and err.count("\n") == 1, err
    assert len(rows(fresh, "SELECT 1 FROM account")) == 1


def test_maintain_removes_what_its_time_is_over_for_and_is_idempotent(fresh: str) -> None:
    extra = [{"name": "n", "value": "v"}]
    day = "2020-01-01T00:00:00Z"
    young = "2026-11-01T00:00:00Z"
    statuses = {1: "paid", 2: "not paid", 3: "deleted", 4: "terminated"}
    old = [
        document(order_id=n, status=status, create_date=day, pay_date=day, additional_data=extra)
        for n, status in statuses.items()
    ]
    new = document(order_id=5, create_date=young, additional_data=extra)
    db(fresh, "import", "-", piped="\n".join(json.dumps(order) for order in [*old, new]).encode())
    with psycopg.connect(libpq_url(fresh)) as connection:  # within and beyond the two limits
        connection.execute("SET ROLE esupport_jobs")
        for order_id, status, days in (
            (6, "paid", 364),
            (7, "paid", 367),
            (8, "deleted", 119),
            (9, "deleted", 121),
        ):
            connection.execute(
                "INSERT INTO orders (order_id, checkout_page_id, order_name, status, created_at, paid_at, currency, "
                "total, additional_parameters) SELECT %s, id, 'x', %s, now() - %s * interval '1 day', now(), 'EUR', 1, "
                '\'[{"name": "n", "value": "v"}]\' FROM checkout_page',
                (order_id, status, days),
            )
    code, out, _ = db(fresh, "maintain")
    assert code == 0 and "parameters were removed: 5" in out
    remaining = rows(fresh, "SELECT order_id FROM orders WHERE additional_parameters <> '[]' ORDER BY 1")
    assert remaining == [(2,), (5,), (6,), (8,)]
    assert "parameters were removed: 0" in db(fresh, "maintain")[1]


def test_a_server_that_does_not_answer_is_a_sentence() -> None:
    status, out, err = db("postgresql://nobody@127.0.0.1:1/x", "migrate")
    assert (status, out) == (1, "") and "Traceback" not in err and "does not answer" in err
    status, out, err = db("mysql://x", "migrate")
    assert status == 1 and "DATABASE_URL" in err
