"""The statement that counts the matches of several searches at once.

Like the statements of a search it depends on which fields are filled and not on their values, and is built once for
each combination of them.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Integer,
    Text,
    any_,
    bindparam,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.visitors import replacement_traverse

from db.schema.order_tables import orders
from db.statements.conditions import CONDITIONS, STORE_IDS, Parameters, SearchValues, named_parameters

_MOST: Final = bindparam("most", type_=Integer)
_MOST_CODES: Final = bindparam("most_codes", type_=Integer)
# An array and not rows, so that each order is looked up by its key; no more of them than are worth it.
_CODE_ORDERS: Final = orders.c.order_id == any_(
    func.array(
        select(func.orders_with_code(bindparam("code_fragment", type_=Text), _MOST_CODES)).scalar_subquery(),
        type_=ARRAY(BigInteger),
    )
)
_SHARED: Final = frozenset({"most", "most_codes"})


def rivals_statement(
    searches: Sequence[tuple[SearchValues, Sequence[int]]], *, most: int, most_codes: int
) -> tuple[CompoundSelect[tuple[int, int]], Parameters]:
    """One row per search (its values, and the stores that it is about): its number, from 0 on, and its matches.

    No search is counted further than `most`, and of the orders whose codes contain a fragment at most `most_codes` are
    looked at.
    """
    all_names = []
    parameters: Parameters = {"most": most, "most_codes": most_codes}
    for number, (values, store_ids) in enumerate(searches):
        names, own = named_parameters(values, store_ids)
        all_names.append(names)
        parameters |= {f"{name}_{number}": value for name, value in own.items()}
    return _rivals(tuple(all_names)), parameters


@lru_cache(maxsize=512)
def _rivals(all_names: tuple[frozenset[str], ...]) -> CompoundSelect[tuple[int, int]]:
    return union_all(*(_count(names, number) for number, names in enumerate(all_names)))


def _count(names: frozenset[str], number: int) -> Any:  # Any: SQLAlchemy types a select of literals loosely
    conditions = [
        _CODE_ORDERS if name == "code_fragment" else condition
        for name, condition in CONDITIONS.items()
        if name in names
    ]
    some = select(orders.c.order_id).where(
        _numbered(orders.c.checkout_page_id == any_(STORE_IDS), number),
        *(_numbered(condition, number) for condition in conditions),
    )
    return select(
        literal(number, literal_execute=True).label("number"), func.count().label("matches")
    ).select_from(some.limit(_MOST).subquery(f"rival_{number}"))


def _numbered(condition: ColumnElement[bool], number: int) -> ColumnElement[bool]:
    """The condition with parameters of its own, so that searches of the same field do not share a value."""

    # Any: SQLAlchemy hands every kind of element to a replacement, and options that it does not name.
    def renamed(element: Any, **_: Any) -> BindParameter[Any] | None:
        if isinstance(element, BindParameter) and element.key not in _SHARED:
            return bindparam(f"{element.key}_{number}", type_=element.type)
        return None

    replaced: ColumnElement[bool] = replacement_traverse(condition, {}, renamed)
    return replaced
