"""Rows read by the names of their columns."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Result, Row


# Any: a row's columns have types of their own; SQLAlchemy does not know those of more than ten.
def column_reader(result: Result[Any], names: Sequence[str]) -> Callable[[Row[Any]], tuple[Any, ...]]:
    """A function that gives these columns (two or more) of a row, in this order, wherever the statement has them.

    The names are looked up once per result: looking them up in every row takes longer than PostgreSQL does to send it.
    """
    keys = tuple(result.keys())
    positions = {name: position for position, name in enumerate(keys)}
    if len(positions) < len(keys):
        raise ValueError("Two columns of this statement have the same name.")
    return itemgetter(*(positions[name] for name in names))
