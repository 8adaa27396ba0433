"""Numbers that the tables can hold."""

from typing import Final

MAX_BIGINT: Final = 2**63 - 1


def is_bigint(number: int) -> bool:
    """Whether a number can be the ID of a row: positive, and not too large for a `bigint` column.

    PostgreSQL refuses a comparison with a larger number, so it is asked about none: no order, request or document
    has such an ID.
    """
    return 0 < number <= MAX_BIGINT
