"""The sums of refunds."""

from db.migrations.support import in_batches, run_sql

revision = "0015"
down_revision = "0014"

# A request of before said which lines, and not how much. Where all of these lines are still there and marked as
# refunded, the rule of today says what they came to; where not, the sum stays unknown.
_LINES = """
    UPDATE refund_request_item i SET amount = s.share, quantity = o.quantity
    FROM refund_request r, order_item o, LATERAL line_shares(o.order_id) s
    WHERE i.refund_request_id > %(low)s AND i.refund_request_id <= %(high)s AND i.amount IS NULL
        AND r.id = i.refund_request_id AND r.status = 'completed'
        AND o.order_id = i.order_id AND o.position = i.position AND o.refunded AND s.position = i.position
        AND NOT EXISTS (SELECT FROM refund_request_item j JOIN refund_request q ON q.id = j.refund_request_id
            WHERE q.order_id = r.order_id AND j.position = i.position AND q.status = 'completed' AND q.id <> r.id)
"""
_REQUESTS = """
    UPDATE refund_request r SET amount = summed.amount, currency = o.currency
    FROM orders o, (SELECT i.refund_request_id, sum(i.amount) AS amount, bool_and(i.amount IS NOT NULL) AS known
        FROM refund_request_item i WHERE i.refund_request_id > %(low)s AND i.refund_request_id <= %(high)s
        GROUP BY i.refund_request_id) summed
    WHERE r.id = summed.refund_request_id AND r.amount IS NULL AND r.status = 'completed' AND o.order_id = r.order_id
        AND summed.known
"""


def upgrade() -> None:
    run_sql("0015_refund_sums.sql")
    in_batches("refund_request", "id", _LINES)
    in_batches("refund_request", "id", _REQUESTS)
    run_sql("0015_refund_rules.sql")
