"""The statement that counts the matches of several searches at once.

Its branches depend on which fields are filled and not on their values. Each branch is compiled once per set of fields,
and the statement is joined from their texts: building it anew for every combination of searches would take longer than
PostgreSQL takes to answer it.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from sqlalchemy import BigInteger, Integer, Text, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

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
_PARAMETER: Final = re.compile(r"%\((\w+)\)s")
_SHARED: Final = frozenset({"most", "most_codes"})


def rivals_statement(
    searches: Sequence[tuple[SearchValues, Sequence[int]]], *, most: int, most_codes: int
) -> tuple[str, Parameters]:
    """SQL for the driver with one row per search (its values, and the stores that it is about): `number` from 0 on, and
    `matches`.

    No search is counted further than `most`, and of the orders whose codes contain a fragment at most `most_codes` are
    looked at.
    """
    branches = []
    parameters: Parameters = {"most": most, "most_codes": most_codes}
    for number, (values, store_ids) in enumerate(searches):
        names, own = named_parameters(values, store_ids)
        sql, constants = _count(names)
        parameters |= {f"{name}_{number}": value for name, value in (constants | own).items()}
        branches.append(f"SELECT {number} AS number, ({_numbered(sql, number)}) AS matches")
    return " UNION ALL ".join(branches), parameters


@lru_cache(maxsize=1024)
def _count(names: frozenset[str]) -> tuple[str, Parameters]:
    """The count as SQL, and the values of the constants in its conditions."""
    conditions = [
        _CODE_ORDERS if name == "code_fragment" else condition
        for name, condition in CONDITIONS.items()
        if name in names
    ]
    some = (
        select(orders.c.order_id)
        .where(orders.c.checkout_page_id == any_(STORE_IDS), *conditions)
        .limit(_MOST)
    )
    counted = select(func.count()).select_from(some.subquery("some"))
    compiled = counted.compile(dialect=PGDialect_psycopg())  # type: ignore[no-untyped-call] # SQLAlchemy
    return str(compiled), {name: value for name, value in compiled.params.items() if value is not None}


def _numbered(sql: str, number: int) -> str:
    """With parameters of its own, so that searches of the same field do not share a value."""
    return _PARAMETER.sub(lambda match: match[0] if match[1] in _SHARED else f"%({match[1]}_{number})s", sql)
