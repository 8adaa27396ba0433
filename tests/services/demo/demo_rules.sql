-- What no demo order may be: each condition names the orders `o` that break a rule.

-- rule: who paid has a time of it, and nobody else
(o.status = 'not paid' AND o.paid_at IS NOT NULL) OR (o.status = 'paid' AND o.paid_at IS NULL) OR o.paid_at <
o.created_at OR o.paid_at > :now

-- rule: the history begins with the order and tells of the payment
(SELECT min(h.at) FROM order_history h WHERE h.order_id = o.order_id) IS DISTINCT FROM o.created_at OR (o.paid_at IS
NOT NULL) <> EXISTS (SELECT FROM order_history h WHERE h.order_id = o.order_id AND h.text LIKE
'The order has been paid%')

-- rule: nothing happened after today
EXISTS (SELECT FROM order_history h WHERE h.order_id = o.order_id AND h.at > :now)

-- rule: Deleted is unpaid and cancelled, or wholly refunded
o.status = 'deleted' AND o.paid_at IS NOT NULL AND EXISTS (SELECT FROM order_item i WHERE i.order_id = o.order_id
AND NOT i.refunded)

-- rule: wholly refunded is Deleted
o.status <> 'deleted' AND NOT EXISTS (SELECT FROM order_item i WHERE i.order_id = o.order_id AND NOT i.refunded)

-- rule: the history says Deleted and Terminated
(o.status = 'deleted') <> EXISTS (SELECT FROM order_history h WHERE h.order_id = o.order_id AND h.text LIKE
'%Status: Deleted%') OR (o.status = 'terminated') <> EXISTS (SELECT FROM order_history h WHERE h.order_id =
o.order_id AND h.text LIKE '%Status: Terminated%')

-- rule: an item is refunded where a request was completed
EXISTS (SELECT FROM order_item i WHERE i.order_id = o.order_id AND i.refunded) <> EXISTS (SELECT FROM refund_request
r WHERE r.order_id = o.order_id AND r.status = 'completed')

-- rule: the items of a request are those that are refunded
EXISTS (SELECT FROM refund_request r WHERE r.order_id = o.order_id AND r.status = 'completed') AND (SELECT
array_agg(i.position ORDER BY 1) FROM order_item i WHERE i.order_id = o.order_id AND i.refunded) IS DISTINCT FROM
(SELECT array_agg(ri.position ORDER BY 1) FROM refund_request_item ri WHERE ri.order_id = o.order_id)

-- rule: full is all of it
EXISTS (SELECT FROM refund_request r WHERE r.order_id = o.order_id AND (r.result = 'full') <> (o.status =
'deleted'))

-- rule: a refund document is for what was refunded
EXISTS (SELECT FROM order_document d WHERE d.order_id = o.order_id AND d.kind = 'refund') AND o.status <> 'deleted'

-- rule: every history line about a document has it
EXISTS (SELECT FROM order_history h WHERE h.order_id = o.order_id AND h.kind = 'document' AND h.document_id IS NULL)

-- rule: documents belong to paid orders
o.paid_at IS NULL AND EXISTS (SELECT FROM order_document d WHERE d.order_id = o.order_id)

-- rule: a refund is asked for after the payment, taken after that, closed after that
EXISTS (SELECT FROM refund_request r WHERE r.order_id = o.order_id AND (r.requested_at < o.paid_at OR r.taken_at <
r.requested_at OR r.closed_at < r.taken_at OR coalesce(r.closed_at, r.requested_at) > :now))

-- rule: the history tells of every step of a refund
EXISTS (SELECT FROM refund_request r WHERE r.order_id = o.order_id AND (NOT EXISTS (SELECT FROM order_history h
WHERE h.order_id = o.order_id AND h.text LIKE 'Refund request has been sent. Reason: %') OR (r.taken_at IS NOT NULL)
<> EXISTS (SELECT FROM order_history h WHERE h.order_id = o.order_id AND h.text LIKE 'Refund info is being updated')
OR (r.status = 'completed') <> EXISTS (SELECT FROM order_history h WHERE h.order_id = o.order_id AND h.text LIKE
'Request has been completed: %') OR (r.status = 'refused') <> EXISTS (SELECT FROM order_history h WHERE h.order_id =
o.order_id AND h.text LIKE 'Refusal to refund: %')))

-- rule: no refund without a request
NOT EXISTS (SELECT FROM refund_request r WHERE r.order_id = o.order_id) AND EXISTS (SELECT FROM order_history h
WHERE h.order_id = o.order_id AND h.text LIKE '%efund%')

-- rule: payment methods that need a refund document get one
EXISTS (SELECT FROM refund_request r WHERE r.order_id = o.order_id AND r.status = 'completed') AND EXISTS (SELECT
FROM payment_method m WHERE m.name = o.payment_method AND m.refund_document_required) AND NOT EXISTS (SELECT FROM
order_document d WHERE d.order_id = o.order_id AND d.kind = 'refund')

-- rule: codes of what was refunded are deleted
EXISTS (SELECT FROM order_item i JOIN activation_code c USING (order_id, position) WHERE i.order_id = o.order_id AND
i.refunded AND NOT c.deleted)

-- rule: codes are saved in paid orders only
o.paid_at IS NULL AND EXISTS (SELECT FROM activation_code c WHERE c.order_id = o.order_id)

-- rule: what was delivered by mail has a code, and was paid
EXISTS (SELECT FROM order_item i WHERE i.order_id = o.order_id AND i.delivered AND (o.paid_at IS NULL OR i.delivery
= 'electronic' AND NOT EXISTS (SELECT FROM activation_code c WHERE c.order_id = i.order_id AND c.position =
i.position)))

-- rule: a licence that was sent is delivered, and one that was not sent is not
NOT o.delivered AND EXISTS (SELECT FROM order_history h WHERE h.order_id = o.order_id AND h.text LIKE
'Licence e-mail has been sent%') AND (SELECT count(*) FROM order_item i WHERE i.order_id = o.order_id) = 1 OR
o.delivered AND EXISTS (SELECT FROM order_history h WHERE h.order_id = o.order_id AND h.kind = 'error')

-- rule: the order is Delivered when every item is
o.delivered <> (SELECT bool_and(i.delivered) FROM order_item i WHERE i.order_id = o.order_id)

-- rule: the total is the sum of the items
o.total <> (SELECT sum(i.amount) FROM order_item i WHERE i.order_id = o.order_id)

-- rule: an amount is price times quantity less the discount
EXISTS (SELECT FROM order_item i WHERE i.order_id = o.order_id AND i.amount <> i.price * i.quantity -
coalesce(i.discount_amount, 0))

-- rule: all orders of a subscription say the same
EXISTS (SELECT FROM subscription a JOIN subscription b USING (checkout_page_id, subscription_id) WHERE a.order_id =
o.order_id AND (a.status, a.type, a.next_renewal_at) <> (b.status, b.type, b.next_renewal_at))

-- rule: a renewal that runs is still to come
EXISTS (SELECT FROM subscription s WHERE s.order_id = o.order_id AND s.status <> 'cancelled' AND s.next_renewal_at <
:now)

-- rule: a subscription is not paid while an order of it is not
EXISTS (SELECT FROM subscription s WHERE s.order_id = o.order_id AND (s.status = 'not paid') <> EXISTS (SELECT FROM
subscription m JOIN orders n ON n.order_id = m.order_id WHERE m.subscription_id = s.subscription_id AND n.status =
'not paid'))

-- rule: a parent order is there, older and paid
EXISTS (SELECT FROM subscription s LEFT JOIN orders p ON p.order_id = s.parent_order_id WHERE s.order_id =
o.order_id AND s.parent_order_id IS NOT NULL AND (p.paid_at IS NULL OR p.created_at >= o.created_at OR
p.checkout_page_id <> o.checkout_page_id))

-- rule: a cancelled subscription was cancelled in the history
EXISTS (SELECT FROM subscription s WHERE s.order_id = o.order_id AND (s.status = 'cancelled') <> EXISTS (SELECT FROM
order_history h WHERE h.order_id = o.order_id AND h.text LIKE 'Auto-renewal has been deactivated%'))

-- rule: related orders show each other
EXISTS (SELECT FROM order_relation r WHERE r.order_id = o.order_id AND NOT EXISTS (SELECT FROM order_relation b JOIN
orders n ON n.order_id = b.order_id WHERE b.order_id = r.related_order_id AND b.related_order_id = o.order_id AND
n.checkout_page_id = o.checkout_page_id AND b.relation = CASE r.relation WHEN 'parent' THEN 'child' WHEN 'child'
THEN 'parent' ELSE r.relation END))

-- rule: both orders of the thank-you page are paid
o.paid_at IS NULL AND EXISTS (SELECT FROM order_relation r WHERE r.order_id = o.order_id AND relation = 'typo')

-- rule: a renewal order is spoken of when it was made
EXISTS (SELECT FROM order_relation r JOIN orders c ON c.order_id = r.related_order_id WHERE r.order_id = o.order_id
AND r.relation = 'child' AND NOT EXISTS (SELECT FROM order_history h WHERE h.order_id = o.order_id AND h.at =
c.created_at AND h.text LIKE '%' || c.order_name || '%'))

-- rule: who was erased is nowhere in the order
o.customer_erased AND (o.card_last_4 IS NOT NULL OR EXISTS (SELECT FROM order_item i WHERE i.order_id = o.order_id
AND NOT i.license_erased) OR EXISTS (SELECT FROM order_history h WHERE h.order_id = o.order_id AND h.text LIKE
'%.example%') OR NOT EXISTS (SELECT FROM order_history h WHERE h.order_id = o.order_id AND h.text LIKE
'Personal data anonymize'))
