"""The portal's own tables: audit log, request keys, exports, saved searches, secrets, and what imports remember."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from db.schema.metadata import TIMESTAMPTZ, metadata

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("at", TIMESTAMPTZ, nullable=False),
    Column("account_id", Integer),
    Column("account_email", Text),
    Column("action", Text, nullable=False),
    Column("order_id", BigInteger),
    Column("address", Text),
    Column("succeeded", Boolean, nullable=False),
    Column("details", JSONB, nullable=False),
)

action_key = Table(
    "action_key",
    metadata,
    Column("key", UUID, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("action", Text, nullable=False),
    Column("order_id", BigInteger),
    Column("at", TIMESTAMPTZ, nullable=False),
    Column("answer", Text),
)

export_run = Table(
    "export_run",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("row_kind", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_at", TIMESTAMPTZ, nullable=False),
    Column("touched_at", TIMESTAMPTZ, nullable=False),
    Column("finished_at", TIMESTAMPTZ),
    Column("rows_estimated", BigInteger),
    Column("is_exact", Boolean, nullable=False),
    Column("rows_sent", BigInteger, nullable=False),
    Column("bytes_sent", BigInteger, nullable=False),
    Column("cancel_requested", Boolean, nullable=False),
    Column("refusal", Text),
)

saved_search = Table(
    "saved_search",
    metadata,
    Column("key", Text, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("filters_digest", LargeBinary, nullable=False),
    Column("filters", JSONB, nullable=False),
    Column("created_at", TIMESTAMPTZ, nullable=False),
    Column("last_opened_at", TIMESTAMPTZ, nullable=False),
)

portal_secret = Table(
    "portal_secret",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

# Keyed digests of a person's former values, or of deleted persons.
known_value = Table(
    "known_value",
    metadata,
    Column("order_id", BigInteger, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("words", SmallInteger, nullable=False),
    Column("digest", LargeBinary, primary_key=True),
    Column("erased", Boolean, nullable=False),
)

import_claim = Table("import_claim", metadata, Column("key", BigInteger, primary_key=True))
