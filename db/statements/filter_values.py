"""The values that the orders of some stores have in a column with few different ones."""

from typing import Final

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Integer

from db.schema.order_tables import orders

# From one value of the index to the next larger one: as many steps as there are values, however many the orders.
_STEPS: Final = """
{name} AS (
    (SELECT s.id, (SELECT o.{key} FROM orders o WHERE o.checkout_page_id = s.id AND o.{key} IS NOT NULL
        ORDER BY o.{key} LIMIT 1) AS value, 1 AS number FROM unnest(:store_ids) AS s (id))
    UNION ALL
    SELECT v.id, (SELECT o.{key} FROM orders o WHERE o.checkout_page_id = v.id AND o.{key} > v.value
        ORDER BY o.{key} LIMIT 1), v.number + 1
    FROM {name} v WHERE v.value IS NOT NULL AND v.number < :most
)"""
# A text as the newest order with this key has it.
_AS_SENT: Final = """
SELECT '{name}', (SELECT o.{name} FROM orders o WHERE o.checkout_page_id = v.id AND o.{key} = v.value
    ORDER BY o.created_at DESC, o.order_id DESC LIMIT 1)
FROM (SELECT DISTINCT ON (value) id, value FROM {table} WHERE value IS NOT NULL ORDER BY value, id) v"""
_KEYS: Final = {
    orders.c.payment_method.name: orders.c.payment_method_key.name,
    orders.c.country.name: orders.c.country_key.name,
    orders.c.currency.name: orders.c.currency.name,
}


def filter_values_statement() -> TextClause:
    """Payment methods, countries and currencies of the orders of `store_ids`, at most `most` per column and store.

    The columns are the name of the column of `orders`, and a value of it. Values that differ in letter case only count
    as one.
    """
    steps = ",".join(_STEPS.format(name=f"{name}_values", key=key) for name, key in _KEYS.items())
    values = " UNION ALL ".join(
        _AS_SENT.format(name=name, key=key, table=f"{name}_values") for name, key in _KEYS.items()
    )
    return text(f"WITH RECURSIVE {steps} {values}").bindparams(bindparam("store_ids", type_=ARRAY(Integer)))
