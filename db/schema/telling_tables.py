"""The tables of what is told of refunds: texts of mails to customers, and digests to refund operators."""

from sqlalchemy import Column, Integer, SmallInteger, Table, Text

from db.schema.metadata import TIMESTAMPTZ, metadata

mail_text = Table(
    "mail_text",
    metadata,
    Column("checkout_page_id", Integer, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("changed_at", TIMESTAMPTZ, nullable=False),
)

refund_digest = Table(
    "refund_digest",
    metadata,
    Column("account_id", Integer, primary_key=True),
    Column("every", Text, nullable=False),
    Column("hour", SmallInteger),
    Column("time_zone", Text, nullable=False),
    Column("next_at", TIMESTAMPTZ, nullable=False),
    Column("told_until", TIMESTAMPTZ, nullable=False),
)
