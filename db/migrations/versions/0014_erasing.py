"""Erasure that holds: what a person had before, and what was emptied."""

from db.migrations.support import in_batches, run_sql

revision = "0014"
down_revision = "0013"

# Of the values that were replaced before there were digests, the log knows one kind: e-mails that were corrected.
_CORRECTED = """
    INSERT INTO known_value (order_id, kind, words, digest)
    SELECT o.order_id, d.kind, d.words, d.digest
    FROM audit_log a JOIN orders o ON o.order_id = a.order_id AND NOT o.customer_erased
    CROSS JOIN LATERAL digests_of(ARRAY['email'], ARRAY[a.details ->> 'old']) d
    WHERE a.id > %(low)s AND a.id <= %(high)s AND a.details ->> 'new' IS NOT NULL
        AND position('@' IN a.details ->> 'old') > 1 AND value_key('email', o.email) IS DISTINCT FROM d.key
    ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    run_sql("0014_erasing.sql")
    in_batches("audit_log", "id", _CORRECTED)
