"""The list of personal columns against the catalogue of the database: every column is on it exactly once."""

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from db.schema.personal import IMPERSONAL, PERSONAL, Fate, cut_columns, emptied
from tests.support import factories
from tests.support.factories import document, item, run


@pytest.fixture(scope="module")
def columns(database: str) -> Iterator[set[tuple[str, str]]]:
    engine = create_engine(database)
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
                "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'm') AND a.attnum > 0 "
                "AND NOT a.attisdropped AND c.relname <> 'alembic_version'"
            )
        )
        yield {tuple(row) for row in rows}
    engine.dispose()


def listed() -> list[tuple[str, str]]:
    personal = [(table, name) for table, names in PERSONAL.items() for name in names]
    return personal + [(table, name) for table, names in IMPERSONAL.items() for name in names.split()]


def test_every_column_is_on_the_list_once(columns: set[tuple[str, str]]) -> None:
    """For a new column that fails here, decide: is it personal, and what does a deletion of the person do with it?"""
    on_list = listed()
    assert sorted(columns - set(on_list)) == [], "not on the list"
    assert sorted(set(on_list) - columns) == [], "not in the database"
    assert len(on_list) == len(set(on_list)), "on both halves"


def test_what_is_kept_says_why() -> None:
    for table, names in PERSONAL.items():
        for name, entry in names.items():
            assert (entry.fate is Fate.KEEP) == bool(entry.why), (table, name)


def test_the_database_empties_what_the_list_empties(database: str) -> None:
    """Every emptied column of an order and its items is filled first; computed columns follow."""
    factories.take_in(document(order_id=1, items=[item(license_user={"email": "u@example.com"})]))
    for table, key in (("orders", "order_id"), ("order_item", "order_id")):
        for name in (name for name, entry in PERSONAL[table].items() if entry.fate is Fate.EMPTY):
            run(f"UPDATE {table} SET {name} = {sample(table, name)} WHERE {key} = 1")
    run("SELECT * FROM empty_person(ARRAY[1]::bigint[], '{}', '{}', '{}')")
    for table in ("orders", "order_item"):
        assignments = emptied(table).split(", ")
        for assignment in assignments:
            name, value = assignment.split(" = ")
            [[is_emptied]] = run(
                f"SELECT {name} IS NOT DISTINCT FROM {value} FROM {table} WHERE order_id = 1"
            )
            assert is_emptied, (table, name)
        for name in (name for name, entry in PERSONAL[table].items() if entry.fate is Fate.FOLLOWS):
            assert run(f"SELECT {name} FROM {table} WHERE order_id = 1") == [(None,)], (table, name)


def sample(table: str, name: str) -> str:
    special = {"card_last_4": "'1234'", "detail_url": "'https://shop.example/1'"}
    if PERSONAL[table][name].emptied == "'[]'":
        return "'%s'" % json.dumps([{"name": "a", "value": "b"}])  # noqa: UP031 - braces inside
    return special.get(name, "'something'")


def test_mentions_are_cut_out_of_every_text_on_the_list(database: str) -> None:
    """The function that cuts spans, `erase_spans`, names each such column."""
    [[body]] = run("SELECT prosrc FROM pg_proc WHERE proname = 'erase_spans'")
    for table, name in sorted(cut_columns()):
        assert f"('{table}', '{name}'," in body, (table, name)
