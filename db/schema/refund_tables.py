"""The tables of refund requests."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, Numeric, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from db.schema.metadata import TIMESTAMPTZ, metadata

refund_request = Table(
    "refund_request",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("order_id", BigInteger, nullable=False),
    Column("checkout_page_id", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("result", Text),
    Column("reason", Text, nullable=False),
    Column("requested_by", Integer),
    Column("requester_name", Text, nullable=False),
    Column("requester_email", Text, nullable=False),
    Column("requested_at", TIMESTAMPTZ, nullable=False),
    Column("taken_by", Integer),
    Column("taken_by_name", Text),
    Column("taken_at", TIMESTAMPTZ),
    Column("closed_by", Integer),
    Column("closed_by_name", Text),
    Column("closed_at", TIMESTAMPTZ),
    Column("note", Text),
    Column("delete_codes", Boolean, nullable=False),
    Column("stop_subscriptions", Boolean, nullable=False),
    Column("document_id", BigInteger),
    Column("amount", Numeric),
    Column("currency", Text),
    Column("reason_id", Integer),
    Column("proposal", JSONB(none_as_null=True)),
    Column("decision", JSONB(none_as_null=True)),
    Column("decided_by", Integer),
    Column("decided_by_name", Text),
    Column("decided_at", TIMESTAMPTZ),
    Column("approved_by", Integer),
    Column("approved_by_name", Text),
    Column("approved_at", TIMESTAMPTZ),
    Column("sent_back_by_name", Text),
    Column("reason_key", Text),
)

refund_request_item = Table(
    "refund_request_item",
    metadata,
    Column("refund_request_id", BigInteger, primary_key=True),
    Column("order_id", BigInteger, nullable=False),
    Column("position", Integer, primary_key=True),
    Column("checkout_page_id", Integer, nullable=False),
    Column("amount", Numeric),
    Column("quantity", Integer),
    Column("is_whole", Boolean, nullable=False),
)

refund_reason = Table(
    "refund_reason",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("in_use", Boolean, nullable=False),
)
