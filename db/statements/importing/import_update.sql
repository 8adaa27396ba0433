-- What a newer document changes in orders that are already here; only run when the batch holds such orders, whose
-- rows are locked. What was erased is out of the batch by then (import_erased.sql). First what the portal has decided is
-- carried over into it, then what the document no longer holds is removed; import_insert.sql adds and overwrites the rest.

-- A full refund by the portal is final: the shop's document may have been written before it knew.
UPDATE stage_order s SET status = 'deleted'
FROM orders o
WHERE s.known AND o.order_id = s.order_id AND o.status = 'deleted' AND s.status = 'paid'
    AND EXISTS (SELECT FROM refund_request r
        WHERE r.order_id = o.order_id AND r.status = 'completed' AND r.result = 'full');

-- An unpaid order that was cancelled here stays so while the shop only repeats that it is not paid.
UPDATE stage_order s SET status = 'deleted'
FROM orders o
WHERE s.known AND o.order_id = s.order_id AND o.cancelled_at IS NOT NULL AND o.status = 'deleted' AND s.status = 'not paid';

UPDATE stage_item s SET refunded = true
FROM order_item i
WHERE i.order_id = s.order_id AND i.position = s.position AND i.refunded AND NOT s.refunded
    AND EXISTS (SELECT FROM refund_request r WHERE r.order_id = i.order_id AND r.status = 'completed');

-- A code once deleted is never sent again, whatever a document says. A copy of it lives on with an item that had one
-- before and is not refunded.
UPDATE stage_code s SET deleted = true
FROM activation_code c
WHERE c.order_id = s.order_id AND c.code = s.code AND c.deleted AND NOT s.deleted
    AND (c.position = s.position AND c.number = s.number
        OR NOT EXISTS (SELECT FROM activation_code l
            JOIN stage_item t ON t.order_id = l.order_id AND t.position = l.position AND NOT t.refunded
            WHERE l.order_id = s.order_id AND l.position = s.position AND l.code = s.code AND NOT l.deleted));

-- Codes of an item of which one was replaced here keep their numbers, by which mails on their way refer to them; others of
-- the document come after them.
WITH item AS (
    SELECT i.order_id, i.position, max(c.number) AS last
    FROM stage_item i JOIN activation_code c ON c.order_id = i.order_id AND c.position = i.position
    GROUP BY i.order_id, i.position
    HAVING bool_or(c.issued_at IS NOT NULL OR c.replaced_at IS NOT NULL)
), numbered AS (
    SELECT s.ctid AS row, c.number, c.replaced_at,
        i.last + row_number() OVER (PARTITION BY s.order_id, s.position, c.number IS NULL ORDER BY s.number) AS next
    FROM item i
    JOIN (SELECT ctid, *, row_number() OVER (PARTITION BY order_id, position, code ORDER BY number) AS n FROM stage_code) s
        ON s.order_id = i.order_id AND s.position = i.position
    LEFT JOIN (SELECT *, row_number() OVER (PARTITION BY order_id, position, code ORDER BY number) AS n
            FROM activation_code WHERE order_id IN (SELECT order_id FROM stage_order WHERE known)) c
        ON c.order_id = s.order_id AND c.position = s.position AND c.code = s.code AND c.n = s.n
)
UPDATE stage_code s SET number = coalesce(n.number, n.next), replaced_at = n.replaced_at
FROM numbered n WHERE s.ctid = n.row;

-- The new one stays although the document does not have it yet, and so does the old one; once a document has had the new
-- one, the shop answers for it.
INSERT INTO stage_code (order_id, position, checkout_page_id, number, code, deleted, issued_at, replaced_at)
SELECT c.order_id, c.position, i.checkout_page_id, c.number, c.code, c.deleted, c.issued_at, c.replaced_at
FROM activation_code c JOIN stage_item i ON i.order_id = c.order_id AND i.position = c.position
WHERE (c.issued_at IS NOT NULL OR c.replaced_at IS NOT NULL) AND NOT EXISTS (SELECT FROM stage_code s
    WHERE s.order_id = c.order_id AND s.position = c.position AND s.number = c.number);

-- A code that was replaced is dead on every item, in any spelling that a search takes for the same.
UPDATE stage_code s SET deleted = true, replaced_at = coalesce(s.replaced_at, c.replaced_at)
FROM activation_code c
WHERE c.order_id = s.order_id AND c.replaced_at IS NOT NULL AND c.code_key = fold(s.code);

-- A mistyped e-mail that was corrected here stays corrected until the shop says something later.
UPDATE stage_order s SET email = o.email
FROM orders o
WHERE s.known AND o.order_id = s.order_id AND o.email_corrected_at IS NOT NULL AND NOT s.customer_erased
    AND (s.source_updated_at IS NULL OR s.source_updated_at < o.email_corrected_at);

-- Where the shop's later word sets aside what was done here, the order says so (for subscriptions import_words_after.sql does).
INSERT INTO order_history (order_id, checkout_page_id, kind, text, source)
SELECT o.order_id, o.checkout_page_id, 'status', line.text || coalesce('Its document of '
        -- A document cannot have been written after it came.
        || to_char(least(s.source_updated_at, statement_timestamp()) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC',
        'Its newest document')
    -- What was paid counts, even when the document was written before the order was cancelled here.
    || CASE WHEN s.source_updated_at < o.cancelled_at THEN ' came after the order was cancelled here'
        ELSE ' is later than what was done here' END, 'portal'
FROM stage_order s
JOIN orders o ON o.order_id = s.order_id
CROSS JOIN LATERAL (
    SELECT 'The customer''s e-mail has been set by the shop. '
    WHERE o.email_corrected_at IS NOT NULL AND o.email IS DISTINCT FROM s.email AND NOT s.customer_erased
    UNION ALL
    SELECT 'The status has been set to ' || CASE s.status WHEN 'not paid' THEN 'Not paid' WHEN 'paid' THEN 'Paid'
        ELSE 'Terminated' END || ' by the shop. '
    WHERE o.status = 'deleted' AND s.status <> 'deleted' AND (o.cancelled_at IS NOT NULL OR EXISTS (SELECT
        FROM refund_request r WHERE r.order_id = o.order_id AND r.status = 'completed'))
) line (text)
WHERE s.known AND NOT s.stays
ORDER BY o.order_id;

UPDATE orders o SET
    checkout_page_id = s.checkout_page_id, order_name = s.order_name, order_id_1c = s.order_id_1c, status = s.status,
    created_at = s.created_at, paid_at = s.paid_at, currency = s.currency, total = s.total, locale = s.locale,
    detail_url = s.detail_url, customer_type = s.customer_type, country = s.country, email = s.email,
    first_name = s.first_name, last_name = s.last_name, phone = s.phone, vat_number = s.vat_number,
    company_name = s.company_name, company_billing_address = s.company_billing_address,
    company_delivery_address = s.company_delivery_address, customer_erased = s.customer_erased,
    payment_method = s.payment_method, payment_system_name = s.payment_system_name, card_type = s.card_type,
    card_last_4 = s.card_last_4, card_expiration_date = s.card_expiration_date,
    payment_provider = s.payment_provider, payment_reference = s.payment_reference,
    additional_parameters = CASE WHEN s.only_item AND s.additional_parameters = '[]' THEN o.additional_parameters
        ELSE s.additional_parameters END,
    -- A document without a date must not open the door to older ones.
    source_updated_at = coalesce(s.source_updated_at, o.source_updated_at), source_digest = s.source_digest,
    cancelled_at = CASE WHEN s.status = 'deleted' THEN o.cancelled_at END,
    email_corrected_at = CASE WHEN o.email IS NOT DISTINCT FROM s.email THEN o.email_corrected_at END,
    imported_at = statement_timestamp()
FROM stage_order s
WHERE s.known AND NOT s.stays AND o.order_id = s.order_id;

-- An item that came late is part of its order's sum all the same.
UPDATE orders o SET total = s.total, imported_at = statement_timestamp()
FROM stage_order s
WHERE s.known AND s.stays AND s.sums_up AND o.order_id = s.order_id;

-- Rows that stay as they are keep their ids. Items go first, and take their codes and subscriptions along.
DELETE FROM order_item i USING stage_order o
WHERE o.known AND i.order_id = o.order_id AND NOT EXISTS (SELECT FROM stage_item s
    WHERE s.order_id = i.order_id AND s.position = i.position);

-- An id that has gone to another item must be free before that one is written.
UPDATE order_item i SET item_id = NULL FROM stage_item s
WHERE s.order_id = i.order_id AND s.position = i.position AND i.item_id IS DISTINCT FROM s.item_id
    AND i.item_id IS NOT NULL;

DELETE FROM activation_code c USING stage_order o
WHERE o.known AND c.order_id = o.order_id AND NOT EXISTS (SELECT FROM stage_code s
    WHERE s.order_id = c.order_id AND s.position = c.position AND s.number = c.number AND s.code = c.code);

DELETE FROM subscription b USING stage_order o
WHERE o.known AND b.order_id = o.order_id AND NOT EXISTS (SELECT FROM stage_subscription s
    WHERE s.order_id = b.order_id AND s.position = b.position);

-- What a document about one item does not have is not gone.
DELETE FROM order_relation r USING stage_order o
WHERE o.known AND r.order_id = o.order_id
    AND (NOT o.only_item OR EXISTS (SELECT FROM stage_relation s WHERE s.order_id = o.order_id))
    AND NOT EXISTS (SELECT FROM stage_relation s
    WHERE s.order_id = r.order_id AND s.related_order_id = r.related_order_id AND s.relation = r.relation);

DELETE FROM order_history h USING stage_order o
WHERE o.known AND h.order_id = o.order_id AND h.source = 'shop'
    AND (NOT o.only_item OR EXISTS (SELECT FROM stage_history s WHERE s.order_id = o.order_id));

DELETE FROM order_document d USING stage_order o
WHERE o.known AND d.order_id = o.order_id AND d.source = 'shop'
    AND (NOT o.only_item OR EXISTS (SELECT FROM stage_document s WHERE s.order_id = o.order_id))
    AND NOT EXISTS (SELECT FROM stage_document s
    WHERE s.order_id = d.order_id AND s.name = d.name AND s.kind = d.kind AND s.media_type = d.media_type
        AND s.content = d.content);

DELETE FROM stage_document s USING order_document d
WHERE d.order_id = s.order_id AND d.source = 'shop' AND d.name = s.name AND d.kind = s.kind
    AND d.media_type = s.media_type AND d.content = s.content;
