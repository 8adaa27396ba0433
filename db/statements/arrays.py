"""Lists of values, each as a single parameter."""

from collections.abc import Iterable
from typing import TypeVar

from sqlalchemy import ColumnElement, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY

T = TypeVar("T")


def among(column: ColumnElement[T], values: Iterable[T]) -> ColumnElement[bool]:
    """The condition that a column has one of these values; without values it is never met.

    The values are one array. `column.in_` would make a parameter of each: a statement text of its own for every number
    of them, and more parameters than PostgreSQL takes when there are 65,536.
    """
    return column == any_(literal(list(values), ARRAY(column.type)))
