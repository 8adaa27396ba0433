"""Every table in one place, for Alembic and the tests: importing this module fills `metadata`."""

from db.schema import (
    account_tables,
    bulk_tables,
    connection_tables,
    mail_tables,
    order_tables,
    portal_tables,
    refund_tables,
    telling_tables,
    view_tables,
)
from db.schema.metadata import metadata

__all__ = [
    "account_tables",
    "bulk_tables",
    "connection_tables",
    "mail_tables",
    "metadata",
    "order_tables",
    "portal_tables",
    "refund_tables",
    "telling_tables",
    "view_tables",
]
