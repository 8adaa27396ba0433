"""The tables of views: named searches, the order in which an account has them, and the orders it opened last."""

from sqlalchemy import BigInteger, Column, Integer, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from db.schema.metadata import TIMESTAMPTZ, metadata

order_view = Table(
    "order_view",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("team_id", Integer),
    Column("name", Text, nullable=False),
    Column("filters", JSONB, nullable=False),
    Column("export", JSONB, nullable=False),
    Column("created_at", TIMESTAMPTZ, nullable=False),
)

order_view_place = Table(
    "order_view_place",
    metadata,
    Column("account_id", Integer, primary_key=True),
    Column("view_id", Integer, primary_key=True),
    Column("place", SmallInteger, nullable=False),
)

opened_orders = Table(
    "opened_orders",
    metadata,
    Column("account_id", Integer, primary_key=True),
    Column("order_ids", ARRAY(BigInteger), nullable=False),
)
