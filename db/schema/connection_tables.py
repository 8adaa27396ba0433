"""The tables of connections: what comes in from shops, and what goes out to them."""

from sqlalchemy import BigInteger, Boolean, Column, Computed, Integer, LargeBinary, Numeric, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from db.schema.metadata import TIMESTAMPTZ, metadata

connection = Table(
    "connection",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("checkout_page_id", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("out_url", Text),
    Column("topics", ARRAY(Text), nullable=False),
    Column("confirms", Boolean, nullable=False),
    Column("options", JSONB, nullable=False),
    Column("rate_per_minute", Integer, nullable=False),
    Column("created_at", TIMESTAMPTZ, nullable=False),
    Column("created_by", Integer),
    Column("last_received_at", TIMESTAMPTZ),
    Column("last_delivered_at", TIMESTAMPTZ),
    Column("trouble", Text),
    Column("trouble_since", TIMESTAMPTZ),
    Column("switched_off_at", TIMESTAMPTZ),
    Column("switched_off_because", Text),
    Column("paused_until", TIMESTAMPTZ),
    Column("reported_at", TIMESTAMPTZ),
    Column("has_out_url", Boolean, Computed("out_url IS NOT NULL", persisted=True), nullable=False),
)

connection_secret = Table(
    "connection_secret",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("connection_id", Integer, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("created_at", TIMESTAMPTZ, nullable=False),
    Column("valid_until", TIMESTAMPTZ),
    Column("is_test", Boolean, Computed("secret ~ '^[a-z]+_test_'", persisted=True), nullable=False),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("connection_id", Integer),
    Column("event_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("order_id", BigInteger),
    Column("occurred_at", TIMESTAMPTZ),
    Column("received_at", TIMESTAMPTZ, nullable=False),
    Column("body", LargeBinary),
    Column("state", Text, nullable=False),
    Column("field", Text),
    Column("reason", Text),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", TIMESTAMPTZ, nullable=False),
    Column("settled_at", TIMESTAMPTZ),
)

outbox_event = Table(
    "outbox_event",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("action_id", UUID, nullable=False),
    Column("order_id", BigInteger, nullable=False),
    Column("checkout_page_id", Integer, nullable=False),
    Column("created_at", TIMESTAMPTZ, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("acknowledged_at", TIMESTAMPTZ),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("event_id", UUID, nullable=False),
    Column("connection_id", Integer, nullable=False),
    Column("order_id", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", TIMESTAMPTZ, nullable=False),
    Column("last_status", Integer),
    Column("last_error", Text),
    Column("settled_at", TIMESTAMPTZ),
)

awaited_action = Table(
    "awaited_action",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("connection_id", Integer),
    Column("order_id", BigInteger, nullable=False),
    Column("checkout_page_id", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("wish", JSONB, nullable=False),
    Column("account_id", Integer),
    Column("account_name", Text, nullable=False),
    Column("account_email", Text, nullable=False),
    Column("recorded_at", TIMESTAMPTZ, nullable=False),
    Column("begun_at", TIMESTAMPTZ),
    Column("sent_at", TIMESTAMPTZ),
    Column("answered_at", TIMESTAMPTZ),
    Column("message", Text),
    Column("external_id", Text),
    Column("amount", Numeric),
)

refund_reservation = Table(
    "refund_reservation",
    metadata,
    Column("action_id", UUID, primary_key=True),
    Column("checkout_page_id", Integer, nullable=False),
    Column("reserved_at", TIMESTAMPTZ, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", Numeric, nullable=False),
)
