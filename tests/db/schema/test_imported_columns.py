"""A column of an order or an item is in every list that an import passes through, or here with the reason why not."""

import re
from pathlib import Path
from typing import Final

import pytest

from db.schema.all_tables import metadata
from db.schema.personal import IMPERSONAL, PERSONAL
from services.importing.staging_rows import COLUMNS

STATEMENTS: Final = Path(__file__).resolve().parents[3] / "db" / "statements" / "importing"
STAGING: Final = {"orders": "stage_order", "order_item": "stage_item"}
# Columns that no document holds.
PORTAL_COLUMNS: Final = {
    "orders": {
        "page_key": "random, by the column's default",
        "refund_status": "a trigger computes it from the refund requests",
        "imported_at": "the time of the import",
        "email_corrected_at": "the portal's own correction of the address",
        "cancelled_at": "when the portal cancelled the unpaid order",
        "email_key": "a trigger computes it from the address",
        "payment_method_key": "a trigger computes it from the payment method",
        "country_key": "a trigger computes it from the country",
        "total_key": "a trigger computes it from the total",
    },
    "order_item": {
        "name_key": "a trigger computes it from the name",
        "product_key": "a trigger computes it from the product's ID",
        "sku_key": "a trigger computes it from the SKU",
    },
}
KEYS: Final = {"orders": {"order_id"}, "order_item": {"order_id", "position"}}
# Columns that an update leaves to the database: to the triggers on items and subscriptions, and to the foreign key.
FOLLOWING: Final = {
    "orders": {"delivered", "active_subscription", "cancelled_subscription"},
    "order_item": {"checkout_page_id"},
}


def statement(file: str, pattern: str) -> str:
    """The part of a file of SQL that the pattern's group matches; its comments are left out."""
    text = re.sub(r"--.*", "", (STATEMENTS / file).read_text(encoding="utf-8"))
    match = re.search(pattern, text, re.S)
    assert match is not None, f"{file} has no statement like {pattern}"
    return match[1]


def assigned(table: str) -> set[str]:
    """The columns that an import writes into a row that exists."""
    if table == "orders":
        clause = statement("import_update.sql", r"UPDATE orders o SET(.*?)FROM stage_order")
    else:
        clause = statement("import_insert.sql", r"INSERT INTO order_item.*?DO UPDATE SET(.*?);")
    return set(re.findall(r"(\w+) = ", clause))


def lists(table: str) -> dict[str, set[str]]:
    """Every list of the table's columns by the place where it is kept."""
    staging = STAGING[table]
    definition = statement("import_staging.sql", rf"TABLE IF NOT EXISTS {staging} \((.*?)\) ON COMMIT")
    inserted = statement("import_insert.sql", rf"INSERT INTO {table}(?: AS \w+)? \((.*?)\)")
    portal = set(PORTAL_COLUMNS[table])
    return {
        "db/schema/personal.py": set(PERSONAL[table]) | set(IMPERSONAL[table].split()),
        f"the staging table {staging}": set(re.findall(r"(\w+) \w+(?:,|\s*$)", definition)) | portal,
        "services/importing/staging_rows.py": set(COLUMNS[staging]) | portal,
        "the INSERT of import_insert.sql": set(re.findall(r"\w+", inserted)) | portal,
        "the statement that overwrites": assigned(table) | KEYS[table] | FOLLOWING[table] | portal,
    }


def forgotten(table: str, columns: set[str]) -> dict[str, list[str]]:
    return {
        list_name: sorted(missing)
        for list_name, names in lists(table).items()
        if (missing := columns - names)
    }


def stored_columns(table: str) -> set[str]:
    """The columns that somebody has to write; those that PostgreSQL computes are not in question."""
    return {column.name for column in metadata.tables[table].columns if column.computed is None}


@pytest.mark.parametrize("table", STAGING)
def test_no_list_lacks_a_column(table: str) -> None:
    assert forgotten(table, stored_columns(table)) == {}


@pytest.mark.parametrize("table", STAGING)
def test_a_new_column_is_named_with_every_list_that_lacks_it(table: str) -> None:
    missing = forgotten(table, {*stored_columns(table), "new_column"})
    assert missing == {list_name: ["new_column"] for list_name in lists(table)}


@pytest.mark.parametrize("table", STAGING)
def test_exceptions_are_columns_of_the_table(table: str) -> None:
    assert set(PORTAL_COLUMNS[table]) | KEYS[table] | FOLLOWING[table] <= stored_columns(table)
