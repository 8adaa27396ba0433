-- Items that stay although the document does not have them, because the portal refunded them or because the document is
-- about another item alone: they join the batch as they are.

INSERT INTO stage_item (order_id, position, checkout_page_id, item_id, product_id, sku, name, price, quantity,
    discount_percent, discount_amount, vat_amount, amount, delivery, delivered, refunded, license_first_name,
    license_last_name, license_email, license_erased, additional_data, said_at, said_alone)
SELECT i.order_id, i.position, o.checkout_page_id,
    -- Its id may name another product by now.
    CASE WHEN NOT EXISTS (SELECT FROM stage_item s WHERE s.order_id = i.order_id AND s.item_id = i.item_id)
        THEN i.item_id END,
    i.product_id, i.sku, i.name, i.price, i.quantity, i.discount_percent, i.discount_amount, i.vat_amount, i.amount,
    i.delivery, i.delivered, i.refunded, i.license_first_name, i.license_last_name, i.license_email, i.license_erased,
    i.additional_data, i.said_at, i.said_alone
FROM stage_kept k JOIN order_item i USING (order_id, position) JOIN stage_order o USING (order_id);

INSERT INTO stage_code (order_id, position, checkout_page_id, number, code, deleted, issued_at, replaced_at)
SELECT c.order_id, c.position, o.checkout_page_id, c.number, c.code, c.deleted, c.issued_at, c.replaced_at
FROM stage_kept k JOIN activation_code c USING (order_id, position) JOIN stage_order o USING (order_id);

INSERT INTO stage_subscription (order_id, position, checkout_page_id, subscription_id, type, said_status, status,
    parent_order_id, period, next_renewal_at)
SELECT b.order_id, b.position, o.checkout_page_id, b.subscription_id, b.type, coalesce(b.said_status, b.status), b.status,
    b.parent_order_id, b.period, b.next_renewal_at
FROM stage_kept k JOIN subscription b USING (order_id, position) JOIN stage_order o USING (order_id);

-- The rest of its order is in no document about one item.
UPDATE stage_order o SET total = (SELECT sum(s.amount) FROM stage_item s WHERE s.order_id = o.order_id)
WHERE o.sums_up AND o.known;
