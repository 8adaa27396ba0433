CREATE OR REPLACE FUNCTION public.texts_matching(emails text[], numbers text[], wide boolean, besides bigint[])
 RETURNS TABLE(order_id bigint, place text, key text, path text[], value text)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    PERFORM check_may_erase();
    RETURN QUERY SELECT t.* FROM (
        SELECT h.order_id, 'order_history.text', h.id::text, '{}'::text[], h.text FROM order_history h
            WHERE may_mention(h.text, emails, numbers, wide)
        UNION ALL SELECT r.order_id, v.place, r.id::text, '{}'::text[], v.value
            FROM refund_request r, LATERAL (VALUES ('refund_request.reason', r.reason),
                ('refund_request.note', r.note)) v(place, value)
            WHERE may_mention(v.value, emails, numbers, wide)
        UNION ALL SELECT e.order_id, 'subscription_event.reason', e.id::text, '{}'::text[], e.reason
            FROM subscription_event e WHERE may_mention(e.reason, emails, numbers, wide)
        UNION ALL SELECT s.order_id, 'subscription.change_reason', s.order_id || '/' || s.position, '{}'::text[],
            s.change_reason FROM subscription s WHERE may_mention(s.change_reason, emails, numbers, wide)
        UNION ALL SELECT k.order_id, 'action_key.answer', k.key::text, '{}'::text[], k.answer
            FROM action_key k WHERE may_mention(k.answer, emails, numbers, wide)
        UNION ALL SELECT a.order_id, 'audit_log.details', a.id::text, s.path, s.value
            FROM audit_log a, json_strings(a.details) s
            WHERE may_mention(a.details::text, emails, numbers, wide)
        UNION ALL SELECT m.order_id, v.place, m.id::text, '{}'::text[], v.value
            FROM mail m, LATERAL (VALUES ('mail.subject', m.subject), ('mail.text_body', m.text_body),
                ('mail.html_body', m.html_body), ('mail.last_error', m.last_error)) v(place, value)
            WHERE m.account_id IS NULL AND may_mention(v.value, emails, numbers, wide)
        UNION ALL SELECT d.order_id, 'order_document.name', d.id::text, '{}'::text[], d.name
            FROM order_document d WHERE may_mention(d.name, emails, numbers, wide)
        UNION ALL SELECT i.order_id, 'order_item.additional_data', i.order_id || '/' || i.position, s.path, s.value
            FROM order_item i, json_strings(i.additional_data) s
            WHERE i.additional_data <> '[]' AND may_mention(i.additional_data::text, emails, numbers, wide)
        UNION ALL SELECT o.order_id, 'orders.additional_parameters', o.order_id::text, s.path, s.value
            FROM orders o, json_strings(o.additional_parameters) s
            WHERE o.additional_parameters <> '[]' AND may_mention(o.additional_parameters::text, emails, numbers, wide)
        UNION ALL SELECT i.order_id, v.place, i.id::text, '{}'::text[], v.value
            FROM inbox i, LATERAL (VALUES ('inbox.field', i.field), ('inbox.reason', i.reason)) v(place, value)
            WHERE may_mention(v.value, emails, numbers, wide)
        UNION ALL SELECT d.order_id, 'delivery.last_error', d.id::text, '{}'::text[], d.last_error FROM delivery d
            WHERE may_mention(d.last_error, emails, numbers, wide)
        UNION ALL SELECT NULL, 'connection.trouble', c.id::text, '{}'::text[], c.trouble FROM connection c
            WHERE may_mention(c.trouble, emails, numbers, wide)
        UNION ALL SELECT a.order_id, 'awaited_action.message', a.id::text, '{}'::text[], a.message
            FROM awaited_action a WHERE may_mention(a.message, emails, numbers, wide)
        UNION ALL SELECT a.order_id, 'awaited_action.wish', a.id::text, s.path, s.value
            FROM awaited_action a, json_strings(a.wish) s
            WHERE may_mention(a.wish::text, emails, numbers, wide)
                AND s.path[cardinality(s.path)] IN ('note', 'reason', 'name')
    ) t(order_id, place, key, path, value)
    WHERE t.order_id IS NULL OR t.order_id <> ALL (besides);
END $function$;
