"""The numbers that the database can hold as an ID."""


def is_bigint(number: int) -> bool:
    """Whether a row can have this ID: PostgreSQL's bigint, from 1 on. Any other number would be a database error."""
    return 0 < number < 2**63
