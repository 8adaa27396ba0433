-- The batch into the real tables, one statement a table. Orders come with their summaries already computed, so
-- that the triggers on items and subscriptions find nothing to change.

INSERT INTO orders (order_id, checkout_page_id, order_name, order_id_1c, status, created_at, paid_at, currency, total,
    locale, detail_url, customer_type, country, email, first_name, last_name, phone, vat_number, company_name,
    company_billing_address, company_delivery_address, customer_erased, payment_method, payment_system_name,
    card_type, card_last_4, card_expiration_date, payment_provider, payment_reference, additional_parameters, delivered, active_subscription,
    cancelled_subscription, source_updated_at, source_digest, imported_at)
SELECT order_id, checkout_page_id, order_name, order_id_1c, status, created_at, paid_at, currency, total,
    locale, detail_url, customer_type, country, email, first_name, last_name, phone, vat_number, company_name,
    company_billing_address, company_delivery_address, customer_erased, payment_method, payment_system_name,
    card_type, card_last_4, card_expiration_date, payment_provider, payment_reference, additional_parameters, delivered, active_subscription,
    cancelled_subscription, source_updated_at, source_digest, statement_timestamp()
FROM stage_order WHERE NOT known;

INSERT INTO order_item AS i (order_id, position, checkout_page_id, item_id, product_id, sku, name, price, quantity,
    discount_percent, discount_amount, vat_amount, amount, delivery, delivered, refunded, license_first_name,
    license_last_name, license_email, license_erased, additional_data, said_at, said_alone)
SELECT order_id, position, checkout_page_id, item_id, product_id, sku, name, price, quantity,
    discount_percent, discount_amount, vat_amount, amount, delivery, delivered, refunded, license_first_name,
    license_last_name, license_email, license_erased, additional_data, said_at, said_alone
FROM stage_item
ON CONFLICT (order_id, position) DO UPDATE SET
    item_id = excluded.item_id, product_id = excluded.product_id, sku = excluded.sku, name = excluded.name, price = excluded.price,
    quantity = excluded.quantity, discount_percent = excluded.discount_percent,
    discount_amount = excluded.discount_amount, vat_amount = excluded.vat_amount, amount = excluded.amount,
    delivery = excluded.delivery, delivered = excluded.delivered, refunded = excluded.refunded,
    license_first_name = excluded.license_first_name, license_last_name = excluded.license_last_name,
    license_email = excluded.license_email, license_erased = excluded.license_erased,
    additional_data = excluded.additional_data, said_at = excluded.said_at, said_alone = excluded.said_alone;

INSERT INTO activation_code AS c (order_id, position, number, checkout_page_id, code, deleted, issued_at, replaced_at)
SELECT order_id, position, number, checkout_page_id, code, deleted, issued_at, replaced_at FROM stage_code
ON CONFLICT (order_id, position, number) DO UPDATE SET deleted = excluded.deleted, issued_at = excluded.issued_at,
    replaced_at = excluded.replaced_at
WHERE (c.deleted, c.issued_at, c.replaced_at) IS DISTINCT FROM (excluded.deleted, excluded.issued_at, excluded.replaced_at);

INSERT INTO subscription (order_id, position, checkout_page_id, subscription_id, type, said_status, status,
    parent_order_id, period, next_renewal_at, changed_at, changed_by, change_reason)
SELECT order_id, position, checkout_page_id, subscription_id, type, said_status, status, parent_order_id, period,
    next_renewal_at, changed_at, changed_by, change_reason
FROM stage_subscription
ON CONFLICT (order_id, position) DO UPDATE SET
    subscription_id = excluded.subscription_id, type = excluded.type, said_status = excluded.said_status,
    status = excluded.status,
    parent_order_id = excluded.parent_order_id, period = excluded.period,
    next_renewal_at = excluded.next_renewal_at, changed_at = excluded.changed_at,
    changed_by = excluded.changed_by, change_reason = excluded.change_reason;

INSERT INTO order_document (order_id, checkout_page_id, name, kind, media_type, content)
SELECT order_id, checkout_page_id, name, kind, media_type, content FROM stage_document ORDER BY order_id, number;

INSERT INTO order_history (order_id, checkout_page_id, at, kind, text, document_id)
SELECT order_id, checkout_page_id, at, kind, text,
    CASE WHEN document_name IS NOT NULL THEN (SELECT min(d.id) FROM order_document d
        WHERE d.order_id = h.order_id AND d.name = h.document_name AND d.kind = h.document_kind
            AND d.source = 'shop') END
FROM stage_history h ORDER BY order_id, number;

INSERT INTO order_relation (order_id, related_order_id, relation, checkout_page_id)
SELECT order_id, related_order_id, relation, checkout_page_id FROM stage_relation
ON CONFLICT DO NOTHING;
