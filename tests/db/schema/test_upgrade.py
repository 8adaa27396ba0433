"""A database of version 0.1.0 with texts in every spelling is upgraded without losing anything."""

import itertools
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from db.connections.roles import libpq_url
from db.schema.migrate import migrate
from services.text.keys import digits_of, email_key, search_key
from tests.db.schema.old_databases import VERSION_0_1_0, old_database

ORDERS = 12_000  # more than two batches
NAMES = ("\u200bAnneke", "Anneke", "ΜΑΪ́ΟΥ", "Straße", "İpek", "ſmith", "  Ülo\ufeff")
EMAILS = (
    "\ufeffa@example.com",
    "a@straße.example",
    "a@xn--strae-oqa.example",
    "A@Example.COM",
    "ünal@example.com\u200b",
)
PHONES = ("০১৭১২৩৪৫৬৭৮", "8 (905) 1", "𝟗𝟗", "٠١٢")
CODES = ("AAAA  1234", "\u200bŉ-77", "plain-1")


@pytest.fixture
def old(server_url: str) -> Iterator[str]:
    with old_database(server_url, VERSION_0_1_0) as url:
        yield url


def fill(connection: psycopg.Connection) -> None:
    connection.execute("INSERT INTO checkout_page (name) VALUES ('demo-eu')")
    connection.execute(
        "INSERT INTO orders (order_id, checkout_page_id, order_name, order_id_1c, status, created_at, currency, total, "
        "first_name, email, phone) SELECT n, 1, CASE WHEN mod(n, 3) = 0 THEN '#' || n + 7 ELSE 'A000' || n END, "
        "'ALS-' || n, 'not paid', now(), 'EUR', 1, (%(names)s::text[])[1 + mod(n, 7)], "
        "(%(emails)s::text[])[1 + mod(n, 5)], (%(phones)s::text[])[1 + mod(n, 4)] "
        "FROM generate_series(1, %(orders)s) AS n",
        {"names": list(NAMES), "emails": list(EMAILS), "phones": list(PHONES), "orders": ORDERS},
    )
    connection.execute(
        "INSERT INTO order_item (order_id, position, checkout_page_id, item_id, name, price, quantity, amount, "
        "license_email) SELECT n, 1, 1, '1', 'Antivirus', 1, 1, 1, 'b@straße.example' FROM generate_series(1, 300) AS n"
    )
    connection.execute(
        "INSERT INTO activation_code (order_id, position, number, checkout_page_id, code) "
        "SELECT n, 1, 1, 1, (%s::text[])[1 + mod(n, 3)] FROM generate_series(1, 300) AS n",
        (list(CODES),),
    )


def test_keys_follow_the_new_definition_while_people_search(old: str) -> None:
    with psycopg.connect(libpq_url(old), autocommit=True) as connection:
        fill(connection)
        is_migrated, durations = threading.Event(), []

        def search() -> None:
            with psycopg.connect(libpq_url(old), autocommit=True) as second:
                while not is_migrated.is_set():
                    started = time.monotonic()
                    second.execute("SELECT count(*) FROM orders WHERE order_name = 'A0001'").fetchone()
                    durations.append(time.monotonic() - started)

        searcher = threading.Thread(target=search)
        searcher.start()
        try:
            assert "0012" in migrate(old)
        finally:
            is_migrated.set()
            searcher.join()
        assert durations
        rows = connection.execute(
            "SELECT first_name, first_name_key, email, email_key, phone, phone_key FROM orders"
        ).fetchall()
        assert len(rows) == ORDERS
        for name, name_key, email, key, phone, phone_key in rows:
            assert (search_key(name), email_key(email), digits_of(phone)) == (name_key, key, phone_key)
        codes = connection.execute("SELECT code, code_key FROM activation_code").fetchall()
        assert len(codes) == 300 and all(search_key(code) == key for code, key in codes)
        assert migrate(old) == []


def test_accounts_that_differ_only_in_invisible_characters_stay_two(old: str) -> None:
    with psycopg.connect(libpq_url(old), autocommit=True) as connection:
        for email in (
            "anna@example.com",
            "\u200banna@example.com",
            "anna@example.com\ufeff",
            "b@straße.example",
        ):
            connection.execute(
                "INSERT INTO account (email, name, role, password_hash) VALUES (%s, 'x', 'analyst', '-')",
                (email,),
            )
        migrate(old)
        rows = connection.execute("SELECT email, email_key FROM account ORDER BY id").fetchall()
    assert [key for _, key in rows] == [
        "anna@example.com",
        "anna@example.com (account 2)",
        "anna@example.com (account 3)",
        "b@straße.example",
    ]


def test_an_interrupted_migration_goes_on(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from db.migrations import support

    with psycopg.connect(libpq_url(old), autocommit=True) as connection:
        fill(connection)
        whole = support._range
        calls = itertools.count()

        def interrupted(*arguments: object) -> int:
            if next(calls) == 1:
                raise KeyboardInterrupt
            return whole(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(support, "_range", interrupted)
        with pytest.raises(KeyboardInterrupt):
            migrate(old)
        monkeypatch.setattr(support, "_range", whole)
        assert migrate(old)[0] == "0012"
        wrong = connection.execute(
            "SELECT count(*) FROM orders WHERE email_key IS DISTINCT FROM email_key(email)"
        ).fetchone()
    assert wrong == (0,)
