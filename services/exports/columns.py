"""The content of an export: one row per order or item, all columns or some, and the statement that fetches them."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select

from db.statements.exports import (
    ITEM_COLUMNS,
    ORDER_COLUMNS,
    ORDERED_TO,
    Cell,
    ExportColumn,
    export_statement,
    size_statement,
)
from services.access import Viewer
from services.orders.filters import OrderFilter
from services.orders.search import stores_in_scope


class ExportRows(StrEnum):
    """One line per order, or one line per order item."""

    ORDER = "order"
    ITEM = "item"


def column_titles(rows: ExportRows) -> tuple[str, ...]:
    """The titles of all columns that an export can hold, in their order."""
    return tuple(column.title for column in columns_of(rows, ()))


def columns_of(rows: ExportRows, titles: Collection[str]) -> tuple[ExportColumn, ...]:
    """The columns with these titles, in their own order; all columns when no title is named."""
    columns = ORDER_COLUMNS if rows is ExportRows.ORDER else ITEM_COLUMNS
    return tuple(column for column in columns if column.title in titles) or columns


def statement_of(
    connection: Connection, viewer: Viewer, order_filter: OrderFilter, rows: ExportRows, cells: Sequence[Cell]
) -> Select[Any]:  # Any: the cells are chosen when it runs
    """The statement of all rows that match in the viewer's scope, with these cells."""
    store_ids = stores_in_scope(viewer, order_filter)
    number = connection.execute(*size_statement(order_filter.values, store_ids)).scalar_one()
    return export_statement(
        order_filter.values,
        store_ids,
        cells,
        by_item=rows is ExportRows.ITEM,
        ordered=number <= ORDERED_TO,
    )
