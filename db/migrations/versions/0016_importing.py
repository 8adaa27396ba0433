"""Documents as shops export them: returns, coupons, items without IDs."""

from typing import Final

from alembic import op

from db.migrations.support import run_sql

revision = "0016"
down_revision = "0015"

# Looking at every row takes its time, but only a lock that searches and changes do not notice.
_TO_VALIDATE: Final = (
    ("subscription", "subscription_said_status_check"),
    ("subscription", "subscription_next_renewal_at_check"),
    ("subscription_event", "subscription_event_action_check"),
    ("order_item", "order_item_price_check"),
    ("order_item", "order_item_amount_check"),
    ("order_item", "order_item_below_zero_check"),
    ("orders", "orders_total_check"),
)


def upgrade() -> None:
    run_sql("0016_importing.sql")
    with op.get_context().autocommit_block():
        for table, constraint in _TO_VALIDATE:
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}")
