-- Orders of the benchmark as order documents, one JSON a row, under other numbers: `offset` is added to each.
SELECT jsonb_strip_nulls(jsonb_build_object(
    'order_id', o.order_id + shift, 'order_name', 'B' || o.order_id, 'order_id_1c', o.order_id_1c,
    'checkout_page', p.name, 'status', o.status, 'create_date', o.created_at, 'pay_date', o.paid_at,
    'currency', o.currency, 'total', o.total::text, 'locale', o.locale, 'updated_at', o.source_updated_at,
    'customer', jsonb_build_object('type', o.customer_type, 'country', o.country, 'email', o.email,
        'first_name', o.first_name, 'last_name', o.last_name, 'phone', o.phone, 'vat_number', o.vat_number,
        'company_name', o.company_name, 'company_billing_address', o.company_billing_address,
        'erased', o.customer_erased),
    'payment', jsonb_build_object('payment_method', o.payment_method, 'payment_system_name', o.payment_system_name,
        'card_type', o.card_type, 'card_last_4', o.card_last_4, 'card_expiration_date', o.card_expiration_date),
    'items', (SELECT jsonb_agg(jsonb_build_object(
            'item_id', i.item_id, 'product_id', i.product_id, 'sku', i.sku, 'name', i.name, 'price', i.price::text,
            'quantity', i.quantity, 'discount_percent', i.discount_percent::text,
            'discount_amount', i.discount_amount::text, 'vat_amount', i.vat_amount::text, 'amount', i.amount::text,
            'delivery', i.delivery, 'delivered', i.delivered, 'refunded', i.refunded,
            'license_user', jsonb_build_object('first_name', i.license_first_name, 'last_name', i.license_last_name,
                'email', i.license_email, 'erased', i.license_erased),
            'activation_codes', (SELECT jsonb_agg(jsonb_build_object('code', c.code, 'deleted', c.deleted)
                ORDER BY c.number) FROM activation_code c WHERE c.order_id = i.order_id AND c.position = i.position),
            'additional_fields', i.additional_data,
            'subscription', (SELECT jsonb_build_object('id', s.subscription_id, 'type', s.type, 'status', s.status,
                'parent_order_id', s.parent_order_id, 'period', s.period, 'next_renewal_date', s.next_renewal_at)
                FROM subscription s WHERE s.order_id = i.order_id AND s.position = i.position)) ORDER BY i.position)
        FROM order_item i WHERE i.order_id = o.order_id),
    'additional_data', o.additional_parameters,
    'related_orders', (SELECT jsonb_agg(jsonb_build_object('order_id', r.related_order_id, 'relation', r.relation))
        FROM order_relation r WHERE r.order_id = o.order_id),
    'history', (SELECT jsonb_agg(jsonb_build_object('date', h.at, 'kind', h.kind, 'text', h.text) ORDER BY h.id)
        FROM order_history h WHERE h.order_id = o.order_id),
    'documents', (SELECT jsonb_agg(jsonb_build_object('name', d.name, 'kind', d.kind,
        'content_base64', replace(encode(d.content, 'base64'), E'\n', ''))) FROM order_document d
        WHERE d.order_id = o.order_id)))::text
FROM orders o JOIN checkout_page p ON p.id = o.checkout_page_id CROSS JOIN (SELECT 1000000000000 AS shift) s
WHERE NOT o.customer_erased  -- of an erased customer, an import leaves out documents
ORDER BY o.order_id DESC LIMIT %(number)s
