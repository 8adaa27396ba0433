-- The highest position that a refund or a mail of the order refers to: no new item may take it over.
SELECT coalesce(greatest(
    (SELECT max(ri.position) FROM refund_request r JOIN refund_request_item ri ON ri.refund_request_id = r.id
        WHERE r.order_id = %(order_id)s),
    (SELECT max(m.position) FROM mail m WHERE m.order_id = %(order_id)s)), 0);
