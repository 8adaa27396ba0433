"""The number of orders that each of several readings finds, by one statement."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from db.statements.rivals import rivals_statement
from services.access import Viewer
from services.orders.filters import OrderFilter
from services.orders.search import OrderCount, stores_in_scope

MOST: Final = 1_000
_MOST_CODES: Final = 20_000


def count_rivals(
    connection: Connection, viewer: Viewer, searches: Sequence[OrderFilter]
) -> tuple[OrderCount, ...]:
    """The number of the viewer's orders that each search finds, exact up to 1,000.

    Of a fragment of a code that more than 20,000 orders have, only so many are looked at.
    """
    if not searches:
        return ()
    statement, parameters = rivals_statement(
        [(search.values, stores_in_scope(viewer, search)) for search in searches],
        most=MOST + 1,
        most_codes=_MOST_CODES,
    )
    numbers = {row.number: row.matches for row in connection.exec_driver_sql(statement, parameters)}
    return tuple(OrderCount(min(numbers[n], MOST), numbers[n] > MOST) for n in range(len(searches)))
