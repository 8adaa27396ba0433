"""Actions on many orders at once: runs, and the result of each of their orders."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from db.schema.metadata import TIMESTAMPTZ, metadata

bulk_run = Table(
    "bulk_run",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("key", UUID, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("entered_text", Text),
    Column("address", Text),
    Column("order_count", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("stop_requested", Boolean, nullable=False),
    Column("ended_because", Text),
    Column("started_at", TIMESTAMPTZ, nullable=False),
    Column("finished_at", TIMESTAMPTZ),
)

bulk_run_order = Table(
    "bulk_run_order",
    metadata,
    Column("run_id", BigInteger, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("order_id", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("attempts", SmallInteger, nullable=False),
    Column("settled_at", TIMESTAMPTZ),
)
