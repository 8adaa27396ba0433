"""The tables of accounts: sign-in, sessions, roles, teams, the stores in their scope."""

from sqlalchemy import BigInteger, Boolean, Column, Computed, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from db.schema.metadata import TIMESTAMPTZ, metadata

account = Table(
    "account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email", Text, nullable=False),
    Column("email_key", Text),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("all_stores", Boolean, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("must_change_password", Boolean, nullable=False),
    Column("failed_sign_ins", Integer, nullable=False),
    Column("locked_until", TIMESTAMPTZ),
    Column("disabled_at", TIMESTAMPTZ),
    Column("time_zone", Text),
    Column("created_at", TIMESTAMPTZ, nullable=False),
    Column("one_time_until", TIMESTAMPTZ),
    Column("totp_secret", Text),
    Column("totp_last_step", BigInteger),
    Column("has_second_factor", Boolean, Computed("totp_secret IS NOT NULL", persisted=True)),
    Column("credentials_version", Integer, nullable=False),
)

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("account_id", Integer, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
)

role_rule = Table(
    "role_rule",
    metadata,
    Column("role", Text, primary_key=True),
    Column("second_factor_required", Boolean, nullable=False),
)

account_session = Table(
    "account_session",
    metadata,
    Column("token_digest", LargeBinary, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("created_at", TIMESTAMPTZ, nullable=False),
    Column("last_seen_at", TIMESTAMPTZ, nullable=False),
    Column("expires_at", TIMESTAMPTZ, nullable=False),
    Column("ended_at", TIMESTAMPTZ),
    Column("ended_because", Text),
    Column("address", Text),
    Column("id", BigInteger, nullable=False),
    Column("browser", Text),
    Column("single_sign_on", Boolean, nullable=False),
    Column("provider_factor", Boolean, nullable=False),
)

single_sign_on_use = Table(
    "single_sign_on_use",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("used_at", TIMESTAMPTZ, nullable=False),
)

password_reset = Table(
    "password_reset",
    metadata,
    Column("token_digest", LargeBinary, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("created_at", TIMESTAMPTZ, nullable=False),
    Column("expires_at", TIMESTAMPTZ, nullable=False),
    Column("used_at", TIMESTAMPTZ),
    Column("credentials_version", Integer, nullable=False),
)

sign_in_attempt = Table(
    "sign_in_attempt",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("account_id", Integer),
    Column("credentials_version", Integer),
    Column("network", Text, nullable=False),
    Column("device_digest", LargeBinary),
    Column("begun_at", TIMESTAMPTZ, nullable=False),
    Column("state", Text, nullable=False),
    Column("has_factor", Boolean, nullable=False),
    Column("provider_factor", Boolean, nullable=False),
)

known_device = Table(
    "known_device",
    metadata,
    Column("account_id", Integer, primary_key=True),
    Column("device_digest", LargeBinary, primary_key=True),
    Column("first_used_at", TIMESTAMPTZ, nullable=False),
    Column("last_used_at", TIMESTAMPTZ, nullable=False),
    Column("failed_sign_ins", Integer, nullable=False),
    Column("locked_until", TIMESTAMPTZ),
)

single_sign_on_identity = Table(
    "single_sign_on_identity",
    metadata,
    Column("account_id", Integer, primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("bound_at", TIMESTAMPTZ, nullable=False),
)

team = Table(
    "team",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", TIMESTAMPTZ, nullable=False),
)

team_member = Table(
    "team_member",
    metadata,
    Column("team_id", Integer, primary_key=True),
    Column("account_id", Integer, primary_key=True),
)

team_page = Table(
    "team_page",
    metadata,
    Column("team_id", Integer, primary_key=True),
    Column("checkout_page_id", Integer, primary_key=True),
)

account_page = Table(
    "account_page",
    metadata,
    Column("account_id", Integer, primary_key=True),
    Column("checkout_page_id", Integer, primary_key=True),
)
