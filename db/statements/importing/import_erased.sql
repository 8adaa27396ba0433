-- Who was erased stays erased, field by field (db/schema/personal.py): a document may have been written before the shop heard
-- of it. Run on a complete batch before anything of it reaches the real tables; rows of orders that are already here
-- are locked. {orders} and {items} are what is emptied.

-- Lines that were here before keep the words that the deletion left of them. Of lines that are new, the date and the
-- kind come in; their words do not, unless the shop itself says in this document that the customer is erased.
UPDATE stage_history s SET text = coalesce(h.text, 'deleted')
FROM (SELECT order_id, number, kind, at, row_number() OVER (PARTITION BY order_id, kind, at ORDER BY number) AS n
        FROM stage_history) numbered
JOIN stage_order d ON d.order_id = numbered.order_id
JOIN orders o ON o.order_id = numbered.order_id AND o.customer_erased
LEFT JOIN (SELECT order_id, kind, at, text, row_number() OVER (PARTITION BY order_id, kind, at ORDER BY id) AS n
        FROM order_history
        WHERE source = 'shop' AND order_id IN (SELECT order_id FROM stage_order WHERE known)) h
    ON h.order_id = numbered.order_id AND h.kind = numbered.kind AND h.at = numbered.at AND h.n = numbered.n
WHERE s.order_id = numbered.order_id AND s.number = numbered.number
    AND (h.text IS NOT NULL OR NOT d.customer_erased AND s.text <> 'Personal data anonymize');

UPDATE stage_order s SET customer_erased = true
FROM orders o WHERE s.known AND o.order_id = s.order_id AND o.customer_erased AND NOT s.customer_erased;

UPDATE stage_order SET {orders} WHERE customer_erased;

UPDATE stage_item s SET license_erased = true, {items}
FROM stage_order o WHERE o.order_id = s.order_id AND o.customer_erased;

-- A licence user who was erased in an order of somebody else.
UPDATE stage_item s SET license_erased = true, {items}
FROM order_item i
WHERE i.order_id = s.order_id AND i.position = s.position AND i.license_erased AND NOT s.license_erased;

DELETE FROM stage_document s USING stage_order o WHERE o.order_id = s.order_id AND o.customer_erased;
