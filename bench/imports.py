"""Import of order documents, against COPY of the same rows straight into the same tables, with their constraints.

The documents are orders of the data under numbers above it. Both sides are rolled back each time, so that every round
finds tables of the same size.
"""

import statistics
import time
from io import BytesIO
from pathlib import Path

import psycopg
from sqlalchemy import text

from bench.results import Row, yes
from db.connections import engine
from db.connections.roles import libpq_url
from services.importing.document import iter_lines
from services.importing.importer import import_orders

_MOST = 10_000
_ROUNDS = 3
_BEYOND = 1_000_000_000_000
_TABLES = (
    "orders",
    "order_item",
    "activation_code",
    "subscription",
    "order_document",
    "order_history",
    "order_relation",
)
# By table: the columns, and the rows as COPY writes them.
_Copies = dict[str, tuple[str, bytes]]


def measure(_: int, account_id: int) -> list[Row]:
    """One row. Raises `AssertionError` when an import leaves more or fewer rows than the documents hold."""
    lines = documents()
    number = lines.count(b"\n")
    copies = _imported(lines, number)
    ours, floors = [], []
    for _round in range(_ROUNDS):
        floors.append(number / _copy(copies))
        ours.append(number / _import(lines))
    ratio = statistics.median(ours) / statistics.median(floors)
    return [
        {
            "orders": number,
            "MB of documents": len(lines) / 1e6,
            "rows in all tables": sum(data.count(b"\n") for _, data in copies.values()),
            "orders/s": statistics.median(ours),
            "COPY orders/s": statistics.median(floors),
            "ratio": ratio,
            "target met": yes(ratio >= 0.25),
        }
    ]


def documents() -> bytes:
    """Up to 10,000 orders of the data as documents, one per line, under numbers above it."""
    statement = (Path(__file__).parent / "sql" / "documents.sql").read_bytes()
    with psycopg.connect(libpq_url(engine.owner_url())) as connection:
        rows = connection.execute(statement, {"number": _MOST}).fetchall()
    return b"".join(row[0].encode() + b"\n" for row in rows)


def _imported(documents: bytes, number: int) -> _Copies:
    """The rows that an import of the documents leaves in each table. The tables are as before afterwards."""
    with engine.jobs_transaction() as connection:
        assert import_orders(connection, iter_lines(BytesIO(documents))).inserted == number
    copies = {}
    with psycopg.connect(libpq_url(engine.owner_url()), autocommit=True) as connection:
        for table in _TABLES:
            columns = _columns(connection, table)
            imported = f"SELECT {columns} FROM {table} WHERE order_id > {_BEYOND}"
            with connection.cursor().copy(f"COPY ({imported}) TO STDOUT") as copy:
                copies[table] = (columns, b"".join(bytes(piece) for piece in copy))
            originals = (
                f"SELECT count(*) FROM {table} WHERE order_id IN "
                f"(SELECT order_id - {_BEYOND} FROM orders WHERE order_id > {_BEYOND})"
            )
            expected = connection.execute(originals).fetchone()
            assert expected == (copies[table][1].count(b"\n"),), (
                f"{table}: not as many rows were imported as the documents hold"
            )
        connection.execute(f"DELETE FROM orders WHERE order_id > {_BEYOND}")
        connection.execute("VACUUM ANALYZE")
    return copies


def _columns(connection: psycopg.Connection, table: str) -> str:
    names = connection.execute(
        "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
        "AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
        [table],
    )
    return ", ".join(row[0] for row in names)


def _copy(copies: _Copies) -> float:
    """Copy the rows in and roll back; return the seconds."""
    with psycopg.connect(libpq_url(engine.owner_url())) as connection, connection.cursor() as cursor:
        start = time.perf_counter()
        for table, (columns, data) in copies.items():
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                copy.write(data)
        seconds = time.perf_counter() - start
        connection.rollback()
    return seconds


def _import(documents: bytes) -> float:
    """Import the documents and roll back; return the seconds."""
    with engine.owner_engine().connect() as connection:
        connection.execute(text("SET LOCAL ROLE esupport_jobs"))
        start = time.perf_counter()
        import_orders(connection, iter_lines(BytesIO(documents)))
        seconds = time.perf_counter() - start
        connection.rollback()
    return seconds
