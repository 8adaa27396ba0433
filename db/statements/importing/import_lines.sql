-- What the items of these orders are known by. What the portal refunded stays the product that it was.
SELECT i.order_id,
    array(SELECT c.code FROM activation_code c WHERE c.order_id = i.order_id AND c.position = i.position) AS codes,
    i.position, i.item_id, i.product_id, i.sku, i.name, i.price, i.quantity, i.amount, i.refunded,
    EXISTS (SELECT FROM refund_request r WHERE r.order_id = i.order_id AND r.status = 'completed' AND (i.refunded
        OR EXISTS (SELECT FROM refund_request_item p WHERE p.refund_request_id = r.id AND p.position = i.position)))
        AS refunded_here,
    i.said_at, i.said_alone
FROM order_item i
WHERE i.order_id = ANY (%(order_ids)s)
ORDER BY i.order_id, i.position;
