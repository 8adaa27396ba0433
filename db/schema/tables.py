"""The tables as SQLAlchemy sees them, for building statements.

The migrations under `db/migrations/sql` are what makes them, constraints and row-level security included; a test
compares the two (tests/db/schema/test_migrations.py).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, UUID

from db.schema.account_tables import (
    account as account,
)
from db.schema.account_tables import (
    account_page as account_page,
)
from db.schema.account_tables import (
    account_session as account_session,
)
from db.schema.account_tables import (
    audit_log as audit_log,
)
from db.schema.account_tables import (
    export_run as export_run,
)
from db.schema.account_tables import (
    known_device as known_device,
)
from db.schema.account_tables import (
    metadata as metadata,
)
from db.schema.account_tables import (
    password_reset as password_reset,
)
from db.schema.account_tables import (
    portal_secret as portal_secret,
)
from db.schema.account_tables import (
    recovery_code as recovery_code,
)
from db.schema.account_tables import (
    role_rule as role_rule,
)
from db.schema.account_tables import (
    saved_search as saved_search,
)
from db.schema.account_tables import (
    sign_in_attempt as sign_in_attempt,
)
from db.schema.account_tables import (
    single_sign_on_identity as single_sign_on_identity,
)
from db.schema.account_tables import (
    single_sign_on_use as single_sign_on_use,
)
from db.schema.account_tables import (
    team as team,
)
from db.schema.account_tables import (
    team_member as team_member,
)
from db.schema.account_tables import (
    team_page as team_page,
)
from db.schema.connection_tables import awaited_action as awaited_action
from db.schema.connection_tables import connection as connection
from db.schema.connection_tables import connection_secret as connection_secret
from db.schema.connection_tables import delivery as delivery
from db.schema.connection_tables import inbox as inbox
from db.schema.connection_tables import outbox_event as outbox_event

_TIME = TIMESTAMP(timezone=True)

checkout_page = Table(
    "checkout_page",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("title", Text),
    Column("delivery_allowed", Boolean, nullable=False),
    Column("refund_again_after_partial", Boolean, nullable=False),
    Column("created_at", _TIME, nullable=False),
    Column("time_zone", Text),
    Column("refund_document_methods", ARRAY(Text)),
)

orders = Table(
    "orders",
    metadata,
    Column("order_id", BigInteger, primary_key=True),
    Column("checkout_page_id", Integer, nullable=False),
    Column("order_name", Text, nullable=False),
    Column("order_id_1c", Text),
    Column("status", Text, nullable=False),
    Column("created_at", _TIME, nullable=False),
    Column("paid_at", _TIME),
    Column("currency", Text, nullable=False),
    Column("total", Numeric, nullable=False),
    Column("locale", Text),
    Column("detail_url", Text),
    Column("page_key", UUID, nullable=False),
    Column("customer_type", Text),
    Column("country", Text),
    Column("email", Text),
    Column("first_name", Text),
    Column("last_name", Text),
    Column("phone", Text),
    Column("vat_number", Text),
    Column("company_name", Text),
    Column("company_billing_address", Text),
    Column("company_delivery_address", Text),
    Column("customer_erased", Boolean, nullable=False),
    Column("payment_method", Text),
    Column("payment_system_name", Text),
    Column("card_type", Text),
    Column("card_last_4", Text),
    Column("card_expiration_date", Text),
    Column("additional_parameters", JSONB, nullable=False),
    Column("delivered", Boolean, nullable=False),
    Column("active_subscription", Boolean, nullable=False),
    Column("cancelled_subscription", Boolean, nullable=False),
    Column("refund_status", Text),
    Column("source_updated_at", _TIME),
    Column("source_digest", LargeBinary),
    Column("imported_at", _TIME, nullable=False),
    Column("email_corrected_at", _TIME),
    Column("email_key", Text),
    Column("first_name_key", Text, Computed("fold(first_name)", persisted=True)),
    Column("last_name_key", Text, Computed("fold(last_name)", persisted=True)),
    Column("company_key", Text, Computed("fold(company_name)", persisted=True)),
    Column("vat_key", Text, Computed("fold(vat_number)", persisted=True)),
    Column("phone_key", Text, Computed("digits(phone)", persisted=True)),
    Column("payment_provider", Text),
    Column("payment_reference", Text),
)

order_item = Table(
    "order_item",
    metadata,
    Column("order_id", BigInteger, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("checkout_page_id", Integer, nullable=False),
    Column("item_id", Text),
    Column("product_id", Text),
    Column("sku", Text),
    Column("name", Text, nullable=False),
    Column("price", Numeric, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("discount_percent", Numeric),
    Column("discount_amount", Numeric),
    Column("vat_amount", Numeric),
    Column("amount", Numeric, nullable=False),
    Column("delivery", Text),
    Column("delivered", Boolean, nullable=False),
    Column("refunded", Boolean, nullable=False),
    Column("license_first_name", Text),
    Column("license_last_name", Text),
    Column("license_email", Text),
    Column("license_erased", Boolean, nullable=False),
    Column("additional_data", JSONB, nullable=False),
)

activation_code = Table(
    "activation_code",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("order_id", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("checkout_page_id", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("code_key", Text, Computed("fold(code)", persisted=True)),
)

subscription = Table(
    "subscription",
    metadata,
    Column("order_id", BigInteger, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("checkout_page_id", Integer, nullable=False),
    Column("subscription_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("parent_order_id", BigInteger),
    Column("period", Text),
    Column("next_renewal_at", _TIME),
    Column("changed_at", _TIME),
    Column("changed_by", Text),
    Column("change_reason", Text),
    Column("said_status", Text),
)

import_claim = Table("import_claim", metadata, Column("key", BigInteger, primary_key=True))

subscription_event = Table(
    "subscription_event",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("checkout_page_id", Integer, nullable=False),
    Column("subscription_id", Text, nullable=False),
    Column("at", _TIME, nullable=False),
    Column("action", Text, nullable=False),
    Column("from_status", Text, nullable=False),
    Column("to_status", Text, nullable=False),
    Column("order_id", BigInteger, nullable=False),
    Column("account_id", Integer),
    Column("changed_by", Text, nullable=False),
    Column("reason", Text),
)

order_document = Table(
    "order_document",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("order_id", BigInteger, nullable=False),
    Column("checkout_page_id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("source", Text, nullable=False),
    Column("created_at", _TIME, nullable=False),
)

order_history = Table(
    "order_history",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("order_id", BigInteger, nullable=False),
    Column("checkout_page_id", Integer, nullable=False),
    Column("at", _TIME, nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("account_id", Integer),
    Column("author", Text),
    Column("document_id", BigInteger),
)

order_relation = Table(
    "order_relation",
    metadata,
    Column("order_id", BigInteger, primary_key=True),
    Column("related_order_id", BigInteger, primary_key=True),
    Column("relation", Text, primary_key=True),
    Column("checkout_page_id", Integer, nullable=False),
)

payment_method = Table(
    "payment_method",
    metadata,
    Column("name", Text, primary_key=True),
    Column("refund_document_required", Boolean, nullable=False),
)

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
    Column("requested_at", _TIME, nullable=False),
    Column("taken_by", Integer),
    Column("taken_by_name", Text),
    Column("taken_at", _TIME),
    Column("closed_by", Integer),
    Column("closed_by_name", Text),
    Column("closed_at", _TIME),
    Column("note", Text),
    Column("delete_codes", Boolean, nullable=False),
    Column("stop_subscriptions", Boolean, nullable=False),
    Column("document_id", BigInteger),
    Column("amount", Numeric),
    Column("currency", Text),
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
)

action_key = Table(
    "action_key",
    metadata,
    Column("key", UUID, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("action", Text, nullable=False),
    Column("order_id", BigInteger),
    Column("at", _TIME, nullable=False),
    Column("answer", Text),
)

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
    Column("next_attempt_at", _TIME, nullable=False),
    Column("last_error", Text),
    Column("created_at", _TIME, nullable=False),
    Column("sent_at", _TIME),
    Column("queued_at", _TIME, nullable=False),
    Column("to_name", Text),
    Column("position", Integer),
    Column("number", Integer),
    Column("refused_since", _TIME),
    Column("lacks_line", Boolean, nullable=False),
)

mail_server = Table(
    "mail_server",
    metadata,
    Column("id", Boolean, primary_key=True),
    Column("address", Text, nullable=False),
    Column("takes_utf8", Boolean),
    Column("seen_at", _TIME),
    Column("trouble", Text),
    Column("trouble_since", _TIME),
)

mail_handover = Table(
    "mail_handover",
    metadata,
    Column("mail_id", BigInteger, primary_key=True),
    Column("at", _TIME, nullable=False),
)

# Keyed digests of values that somebody had before, or of who was deleted.
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
