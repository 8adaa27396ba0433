"""The tables of outgoing mail and of the mail server."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, Table, Text

from db.schema.metadata import TIMESTAMPTZ, metadata

mail = Table(
    "mail",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("message_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("to_address", Text),
    Column("subject", Text, nullable=False),
    Column("text_body", Text, nullable=False),
    Column("html_body", Text),
    Column("order_id", BigInteger),
    Column("checkout_page_id", Integer),
    Column("account_id", Integer),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", TIMESTAMPTZ, nullable=False),
    Column("last_error", Text),
    Column("created_at", TIMESTAMPTZ, nullable=False),
    Column("sent_at", TIMESTAMPTZ),
    Column("queued_at", TIMESTAMPTZ, nullable=False),
    Column("to_name", Text),
    Column("position", Integer),
    Column("number", Integer),
    Column("refused_since", TIMESTAMPTZ),
    Column("lacks_line", Boolean, nullable=False),
)

mail_server = Table(
    "mail_server",
    metadata,
    Column("id", Boolean, primary_key=True),
    Column("address", Text, nullable=False),
    Column("takes_utf8", Boolean),
    Column("seen_at", TIMESTAMPTZ),
    Column("trouble", Text),
    Column("trouble_since", TIMESTAMPTZ),
)

mail_handover = Table(
    "mail_handover",
    metadata,
    Column("mail_id", BigInteger, primary_key=True),
    Column("at", TIMESTAMPTZ, nullable=False),
)
