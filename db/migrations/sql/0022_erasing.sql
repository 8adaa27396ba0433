-- Erasing a person covers what came in and what goes out. The functions of 0014 that read and cut texts, with the columns
-- of connections; what is personal is written in db/schema/personal.py.

CREATE OR REPLACE FUNCTION personal_texts(of_orders bigint[])
 RETURNS TABLE(order_id bigint, place text, key text, path text[], value text)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    PERFORM check_may_erase();
    RETURN QUERY
    SELECT h.order_id, 'order_history.text', h.id::text, '{}'::text[], h.text
        FROM order_history h WHERE h.order_id = ANY (of_orders)
    UNION ALL SELECT r.order_id, v.place, r.id::text, '{}'::text[], v.value
        FROM refund_request r, LATERAL (VALUES ('refund_request.reason', r.reason), ('refund_request.note', r.note))
            v(place, value) WHERE r.order_id = ANY (of_orders)
    UNION ALL SELECT e.order_id, 'subscription_event.reason', e.id::text, '{}'::text[], e.reason
        FROM subscription_event e WHERE e.order_id = ANY (of_orders)
    UNION ALL SELECT s.order_id, 'subscription.change_reason', s.order_id || '/' || s.position, '{}'::text[],
        s.change_reason FROM subscription s WHERE s.order_id = ANY (of_orders)
    UNION ALL SELECT k.order_id, 'action_key.answer', k.key::text, '{}'::text[], k.answer
        FROM action_key k WHERE k.order_id = ANY (of_orders)
    UNION ALL SELECT a.order_id, 'audit_log.details', a.id::text, s.path, s.value
        FROM audit_log a, json_strings(a.details) s WHERE a.order_id = ANY (of_orders)
    UNION ALL SELECT m.order_id, v.place, m.id::text, '{}'::text[], v.value
        FROM mail m, LATERAL (VALUES ('mail.subject', m.subject), ('mail.text_body', m.text_body),
            ('mail.html_body', m.html_body), ('mail.last_error', m.last_error)) v(place, value)
        WHERE m.order_id = ANY (of_orders)
    UNION ALL SELECT d.order_id, 'order_document.name', d.id::text, '{}'::text[], d.name
        FROM order_document d WHERE d.order_id = ANY (of_orders)
    UNION ALL SELECT i.order_id, 'order_item.name', i.order_id || '/' || i.position, '{}'::text[], i.name
        FROM order_item i WHERE i.order_id = ANY (of_orders)
    UNION ALL SELECT i.order_id, 'order_item.additional_data', i.order_id || '/' || i.position, s.path, s.value
        FROM order_item i, json_strings(i.additional_data) s WHERE i.order_id = ANY (of_orders)
    UNION ALL SELECT o.order_id, 'orders.additional_parameters', o.order_id::text, s.path, s.value
        FROM orders o, json_strings(o.additional_parameters) s WHERE o.order_id = ANY (of_orders)
    UNION ALL SELECT i.order_id, v.place, i.id::text, '{}'::text[], v.value
        FROM inbox i, LATERAL (VALUES ('inbox.field', i.field), ('inbox.reason', i.reason)) v(place, value)
        WHERE i.order_id = ANY (of_orders)
    UNION ALL SELECT d.order_id, 'delivery.last_error', d.id::text, '{}'::text[], d.last_error
        FROM delivery d JOIN outbox_event e ON e.id = d.event_id WHERE e.order_id = ANY (of_orders)
    UNION ALL SELECT a.order_id, 'awaited_action.message', a.id::text, '{}'::text[], a.message
        FROM awaited_action a WHERE a.order_id = ANY (of_orders)
    UNION ALL SELECT a.order_id, 'awaited_action.wish', a.id::text, s.path, s.value
        -- Sums, currencies and IDs are no texts, whatever the person is called.
        FROM awaited_action a, json_strings(a.wish) s
        WHERE a.order_id = ANY (of_orders) AND s.path[cardinality(s.path)] IN ('note', 'reason', 'name');
END $function$;

CREATE OR REPLACE FUNCTION texts_matching(emails text[], numbers text[], wide boolean, besides bigint[])
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

CREATE OR REPLACE FUNCTION erase_spans(cuts jsonb)
 RETURNS TABLE(place text, changed bigint)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    at record;
    here jsonb;
    cut record;
    by_id constant text := 't.id = c.key::bigint';
    by_position constant text := 't.order_id = split_part(c.key, ''/'', 1)::bigint '
        'AND t.position = split_part(c.key, ''/'', 2)::integer';
BEGIN
    PERFORM check_may_erase();
    PERFORM set_config('esupport.erasing', 'on', true);
    FOR at IN SELECT * FROM (VALUES
        ('order_history', 'text', by_id, 20000, false), ('refund_request', 'reason', by_id, 20000, false),
        ('refund_request', 'note', by_id, 20000, false), ('subscription_event', 'reason', by_id, 2000, false),
        ('subscription', 'change_reason', by_position, 20000, false),
        ('action_key', 'answer', 't.key = c.key::uuid', 100000, false), ('mail', 'subject', by_id, 1000, false),
        ('mail', 'text_body', by_id, 10000000, false), ('mail', 'html_body', by_id, 10000000, false),
        ('mail', 'last_error', by_id, 100000, false), ('order_document', 'name', by_id, 255, false),
        ('order_item', 'name', by_position, 100000, false), ('audit_log', 'details', by_id, 0, true),
        ('order_item', 'additional_data', by_position, 0, true),
        ('orders', 'additional_parameters', 't.order_id = c.key::bigint', 0, true),
        ('inbox', 'field', by_id, 300, false), ('inbox', 'reason', by_id, 1000, false),
        ('delivery', 'last_error', by_id, 1000, false), ('connection', 'trouble', by_id, 1000, false),
        ('awaited_action', 'message', 't.id = c.key::uuid', 1000, false),
        ('awaited_action', 'wish', 't.id = c.key::uuid', 0, true)
    ) p(table_name, column_name, matches, most, is_json) LOOP
        place := at.table_name || '.' || at.column_name;
        SELECT jsonb_agg(c) INTO here FROM jsonb_array_elements(cuts) c WHERE c ->> 'place' = place;
        CONTINUE WHEN here IS NULL;
        IF at.is_json THEN
            changed := 0;
            FOR cut IN SELECT c ->> 'key' AS key, c -> 'spans' AS spans,
                    array(SELECT jsonb_array_elements_text(c -> 'path')) AS path FROM jsonb_array_elements(here) c LOOP
                EXECUTE format('UPDATE %1$I t SET %2$I = jsonb_set(t.%2$I, $1, to_jsonb(text_without(t.%2$I #>> $1, $2))) '
                    'FROM (SELECT $3 AS key) c WHERE %3$s AND jsonb_typeof(t.%2$I #> $1) = ''string''',
                    at.table_name, at.column_name, at.matches) USING cut.path, cut.spans, cut.key;
                changed := changed + 1;
            END LOOP;
        ELSE
            EXECUTE format('UPDATE %1$I t SET %2$I = left(text_without(t.%2$I, c.spans), %4$s) '
                'FROM (SELECT e ->> ''key'' AS key, e -> ''spans'' AS spans FROM jsonb_array_elements($1) e) c WHERE %3$s',
                at.table_name, at.column_name, at.matches, at.most) USING here;
            GET DIAGNOSTICS changed = ROW_COUNT;
        END IF;
        RETURN NEXT;
    END LOOP;
    PERFORM set_config('esupport.erasing', 'off', true);
END $function$;

-- What a shop answers later must not bring the person back.
CREATE FUNCTION keep_answer_erased() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    NEW.message := left(text_without_erased(NEW.order_id, NEW.message), 1000);
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION keep_answer_erased() FROM PUBLIC;
CREATE TRIGGER awaited_action_keep_erased BEFORE UPDATE OF message ON awaited_action
    FOR EACH ROW WHEN (NEW.message IS DISTINCT FROM OLD.message) EXECUTE FUNCTION keep_answer_erased();

-- Whether a person was erased from this order: then no message about it is stored any longer than until it is merged.
CREATE FUNCTION holds_erased(of_order bigint) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM orders o WHERE o.order_id = of_order AND o.customer_erased)
        OR EXISTS (SELECT FROM order_item i WHERE i.order_id = of_order AND i.license_erased)
        OR EXISTS (SELECT FROM known_value k WHERE k.order_id = of_order AND k.erased)
$$;
REVOKE ALL ON FUNCTION holds_erased(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION holds_erased(bigint) TO esupport_jobs;

-- With a store (`of_store`), a shop asks for the erasure: it reaches its own store's orders and mails, and no other's.
DROP FUNCTION empty_person(bigint[], text[], bigint[], bigint[]);
CREATE FUNCTION empty_person(own bigint[], emails text[], locked_mails bigint[], announced bigint[], of_store integer DEFAULT NULL)
 RETURNS TABLE(documents bigint, mails bigint, taken_back bigint, under_way bigint)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    keys text[] := array(SELECT email_key(e) FROM unnest(emails) e);
BEGIN
    PERFORM check_may_erase();
    DELETE FROM order_document d WHERE d.order_id = ANY (own);
    GET DIAGNOSTICS documents = ROW_COUNT;

    -- One that the mail server is being given at this moment stays in the queue without its address: whoever gives it
    -- records how that ended, and the next worker if that one dies.
    WITH theirs AS (
        SELECT m.id, m.state = 'queued' AS waits, EXISTS (SELECT FROM mail_handover h
            WHERE h.mail_id = m.id AND h.at >= m.queued_at AND m.state = 'queued') AS handed_over
        FROM mail m
        WHERE m.id = ANY (locked_mails) AND m.to_address IS NOT NULL
            AND (m.order_id = ANY (own) AND m.kind = 'licence'
                OR m.account_id IS NULL AND email_key(m.to_address) = ANY (keys)
                    AND (of_store IS NULL OR m.checkout_page_id = of_store))
    ), changed AS (
        UPDATE mail m SET to_address = NULL, to_name = NULL, text_body = 'deleted', html_body = NULL,
            state = CASE WHEN t.waits AND NOT t.handed_over THEN 'failed' ELSE m.state END,
            last_error = CASE WHEN t.handed_over
                    THEN 'The customer''s data was deleted while the mail server was being given this message.'
                WHEN t.waits THEN 'Taken back: the customer''s data was deleted.' ELSE m.last_error END
        FROM theirs t WHERE m.id = t.id
        RETURNING m.order_id, m.checkout_page_id, m.kind, m.position, m.number,
            t.waits AND NOT t.handed_over AS is_taken_back, t.handed_over
    ), told AS (
        INSERT INTO order_history (order_id, checkout_page_id, kind, text, source)
        SELECT c.order_id, c.checkout_page_id, 'error', CASE WHEN c.kind = 'licence'
            THEN format('Licence e-mail (item %s, code %s) was taken back: the customer''s data was deleted.',
                c.position, c.number)
            ELSE 'An e-mail was taken back: the customer''s data was deleted.' END, 'portal'
        FROM changed c WHERE c.is_taken_back AND c.order_id IS NOT NULL
    )
    SELECT count(*), count(*) FILTER (WHERE c.is_taken_back), count(*) FILTER (WHERE c.handed_over)
    INTO mails, taken_back, under_way FROM changed c;

    UPDATE order_item i SET license_erased = true, license_first_name = NULL, license_last_name = NULL,
        license_email = NULL, additional_data = '[]'
    WHERE i.order_id = ANY (own)
        OR email_key(i.license_email) = ANY (keys) AND (of_store IS NULL OR i.checkout_page_id = of_store);
    UPDATE orders o SET customer_erased = true, email = NULL, first_name = NULL, last_name = NULL, phone = NULL,
        vat_number = NULL, company_name = NULL, company_billing_address = NULL, company_delivery_address = NULL,
        card_last_4 = NULL, card_expiration_date = NULL, additional_parameters = '[]', detail_url = NULL
    WHERE o.order_id = ANY (own);
    UPDATE known_value k SET erased = true WHERE k.order_id = ANY (own) AND NOT k.erased;
    INSERT INTO order_history (order_id, checkout_page_id, kind, text, source, account_id, author)
    SELECT o.order_id, o.checkout_page_id, 'anonymization', 'Personal data anonymize', 'portal', a.id,
        coalesce(a.name, CASE WHEN of_store IS NOT NULL THEN 'the shop' END)
    FROM orders o LEFT JOIN account a ON a.id = viewer_id() WHERE o.order_id = ANY (announced) ORDER BY o.order_id;
    RETURN NEXT;
END $function$;

REVOKE ALL ON FUNCTION empty_person(bigint[], text[], bigint[], bigint[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION empty_person(bigint[], text[], bigint[], bigint[], integer) TO esupport_app, esupport_jobs;

-- The body of a message as a text in which a value is found as it is written: without the escapes of JSON.
CREATE FUNCTION readable_body(body bytea) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    content text;
BEGIN
    BEGIN
        content := convert_from(body, 'UTF8');
    EXCEPTION WHEN OTHERS THEN
        RETURN encode(body, 'escape');
    END;
    IF position('\' IN content) = 0 THEN
        RETURN content;
    END IF;
    RETURN content::jsonb::text;
EXCEPTION WHEN OTHERS THEN
    RETURN content;
END $$;

-- Messages of the inbox that may mention one of these e-mails or numbers: reads them all, before anything is locked.
CREATE FUNCTION messages_mentioning(emails text[], numbers text[], wide boolean, of_store integer) RETURNS SETOF bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM check_may_erase();
    RETURN QUERY
    SELECT i.id FROM inbox i
        LEFT JOIN connection c ON c.id = i.connection_id LEFT JOIN orders o ON o.order_id = i.order_id
    WHERE i.body IS NOT NULL AND (of_store IS NULL OR coalesce(c.checkout_page_id, o.checkout_page_id) = of_store)
        AND may_mention(readable_body(i.body), emails, numbers, wide);
END $$;

-- These messages, and those about these orders.
CREATE FUNCTION messages_of_person(of_orders bigint[], ids bigint[])
    RETURNS TABLE (id bigint, order_id bigint, waits boolean, body bytea)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM check_may_erase();
    RETURN QUERY SELECT i.id, i.order_id, i.state = 'waiting', i.body FROM inbox i
    WHERE i.body IS NOT NULL AND (i.order_id = ANY (of_orders) OR i.id = ANY (ids)) ORDER BY i.id;
END $$;

-- Removes the bodies of messages that are settled (NULL), and replaces those of messages that wait.
CREATE FUNCTION erase_messages(ids bigint[], bodies bytea[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    changed bigint;
BEGIN
    PERFORM check_may_erase();
    -- One that has been settled in between has no use for its body either.
    UPDATE inbox i SET body = CASE WHEN i.state = 'waiting' THEN v.body END,
        state = CASE WHEN i.state = 'waiting' AND v.body IS NULL THEN 'refused' ELSE i.state END,
        settled_at = CASE WHEN i.state = 'waiting' AND v.body IS NULL THEN now() ELSE i.settled_at END,
        reason = CASE WHEN i.state = 'waiting' AND v.body IS NULL
            THEN 'The customer''s data was deleted before this message was merged.' ELSE i.reason END
    FROM unnest(ids, bodies) v(id, body) WHERE i.id = v.id;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END $$;
REVOKE ALL ON FUNCTION readable_body(bytea), messages_mentioning(text[], text[], boolean, integer),
    messages_of_person(bigint[], bigint[]),
    erase_messages(bigint[], bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION messages_mentioning(text[], text[], boolean, integer),
    messages_of_person(bigint[], bigint[]),
    erase_messages(bigint[], bytea[]) TO esupport_app, esupport_jobs;
