"""A database of version 0.1.0 with texts in every spelling becomes one of this version; nothing in it is lost."""

import threading
import time
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine

from db.connections import roles
from db.connections.roles import libpq_url
from db.schema.migrate import alembic_config, migrate
from services.text.keys import digits_of, email_key, search_key
from tests.support.databases import create_database, drop_database

VERSION_0_1_0 = "0011"
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


def make_old_database(server_url: str) -> str:
    """An empty database with the schema of version 0.1.0: the owner's address."""
    url = create_database(server_url, f"esupport_old_{uuid.uuid4().hex[:8]}")
    roles.ensure_app_role(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, VERSION_0_1_0)
    engine.dispose()
    return url


@pytest.fixture
def old(server_url: str) -> Iterator[str]:
    url = make_old_database(server_url)
    yield url
    drop_database(server_url, url.rpartition("/")[2].partition("?")[0])


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
        searching, waits = threading.Event(), []

        def search() -> None:
            with psycopg.connect(libpq_url(old), autocommit=True) as other:
                while not searching.is_set():
                    started = time.monotonic()
                    other.execute("SELECT count(*) FROM orders WHERE order_name = 'A0001'").fetchone()
                    waits.append(time.monotonic() - started)

        person = threading.Thread(target=search)
        person.start()
        try:
            assert "0012" in migrate(old)
        finally:
            searching.set()
            person.join()
        assert waits
        rows = connection.execute(
            "SELECT first_name, first_name_key, email, email_key, phone, phone_key FROM orders"
        ).fetchall()
        assert len(rows) == ORDERS
        for name, name_key, email, key, phone, phone_key in rows:
            assert (search_key(name), email_key(email), digits_of(phone)) == (name_key, key, phone_key)
        codes = connection.execute("SELECT code, code_key FROM activation_code").fetchall()
        assert len(codes) == 300 and all(search_key(code) == key for code, key in codes)
        assert migrate(old) == []


def test_accounts_that_were_two_only_at_their_edges_stay_two(old: str) -> None:
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
        calls = iter(range(100))

        def broken(*arguments: object) -> int:
            if next(calls) == 1:
                raise KeyboardInterrupt
            return whole(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(support, "_range", broken)
        with pytest.raises(KeyboardInterrupt):
            migrate(old)
        monkeypatch.setattr(support, "_range", whole)
        assert migrate(old)[0] == "0012"
        wrong = connection.execute(
            "SELECT count(*) FROM orders WHERE email_key IS DISTINCT FROM email_key(email)"
        ).fetchone()
    assert wrong == (0,)
