-- The highest position that a refund, recorded ones that wait for an answer included, or a mail of the order refers to: no
-- new item may take it over.
SELECT coalesce(greatest(
    (SELECT max(ri.position) FROM refund_request r JOIN refund_request_item ri ON ri.refund_request_id = r.id
        WHERE r.order_id = %(order_id)s),
    (SELECT max((i ->> 'position')::integer)
        FROM awaited_action a, LATERAL jsonb_array_elements(a.wish -> 'items') i
        WHERE a.order_id = %(order_id)s AND a.kind = 'refund' AND a.state <> 'refused'),
    (SELECT max(m.position) FROM mail m WHERE m.order_id = %(order_id)s)), 0);
