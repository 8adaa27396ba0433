-- Erasure that holds: what a person had before, what was emptied, and the doors through which a deletion goes. Which
-- column is personal is written in db/personal.py. Every statement here may run again.

-- The key of the digests below, as HMAC (RFC 2104) uses it: 64 random bytes, mixed with its two constants.
DO $$
DECLARE
    key bytea := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
        || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    inner_key bytea := key;
    outer_key bytea := key;
BEGIN
    FOR n IN 0..63 LOOP
        inner_key := set_byte(inner_key, n, get_byte(key, n) # 54);
        outer_key := set_byte(outer_key, n, get_byte(key, n) # 92);
    END LOOP;
    IF NOT EXISTS (SELECT FROM portal_secret WHERE name = 'known values, inner') THEN
        INSERT INTO portal_secret (name, value)
        VALUES ('known values, inner', inner_key), ('known values, outer', outer_key);
    END IF;
END $$;

-- Values that somebody had before (a newer document or a correction replaced them), and those of a person who was
-- deleted. Enough to recognise one that comes again, not to read it. `position`: of that item's licence user, else 0.
CREATE TABLE IF NOT EXISTS known_value (
    order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
    position integer NOT NULL DEFAULT 0 CHECK (position >= 0),
    kind text NOT NULL CHECK (kind IN ('email', 'phone', 'name', 'company', 'vat', 'address')),
    words smallint NOT NULL CHECK (words > 0),
    digest bytea NOT NULL CHECK (length(digest) = 32),
    erased boolean NOT NULL DEFAULT false,
    PRIMARY KEY (order_id, position, kind, digest)
);
CREATE INDEX IF NOT EXISTS mail_to_customer ON mail (email_key(to_address)) WHERE account_id IS NULL;
CREATE INDEX IF NOT EXISTS known_value_digest ON known_value (digest) WHERE NOT erased;
ALTER TABLE known_value ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS jobs ON known_value;
CREATE POLICY jobs ON known_value TO esupport_jobs USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON known_value TO esupport_jobs;

-- What two ways of writing one value have in common: as searches have it, but for compatibility forms and what stands
-- between the words.
-- No search path is set: the planner writes such a function out in place.
CREATE OR REPLACE FUNCTION without_invisible(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN octet_length(value) = length(value) THEN value
        ELSE regexp_replace(normalize(value, NFKC), '[\u00AD\u200B-\u200F\u2060-\u2064\uFEFF]', '', 'g') END;
CREATE OR REPLACE FUNCTION value_key(kind text, value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE kind
        WHEN 'phone' THEN digits(value)
        WHEN 'email' THEN email_key(without_invisible(value))
        WHEN 'vat' THEN nullif(regexp_replace(fold(without_invisible(value)), '[\s[:punct:]]+', '', 'g'), '')
        ELSE nullif(btrim(regexp_replace(fold(without_invisible(value)), '[\s[:punct:]]+', ' ', 'g')), '') END;

-- HMAC-SHA-256 of each value. Nobody but the functions below may ask.
CREATE OR REPLACE FUNCTION digests_of(kinds text[], texts text[])
    RETURNS TABLE (kind text, value text, key text, words smallint, digest bytea)
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT g.kind, g.value, k.key, cardinality(string_to_array(k.key, ' '))::smallint,
        sha256(o.value || sha256(i.value || convert_to(g.kind || ':' || k.key, 'UTF8')))
    FROM unnest(kinds, texts) g(kind, value)
    CROSS JOIN LATERAL (SELECT value_key(g.kind, g.value) AS key OFFSET 0) k, portal_secret i, portal_secret o
    WHERE g.value IS NOT NULL AND i.name = 'known values, inner' AND o.name = 'known values, outer' AND k.key IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION remember_customer() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    kinds constant text[] := ARRAY['email', 'name', 'name', 'phone', 'vat', 'company', 'address', 'address'];
    before text[] := ARRAY[OLD.email, OLD.first_name, OLD.last_name, OLD.phone, OLD.vat_number, OLD.company_name,
        OLD.company_billing_address, OLD.company_delivery_address];
    since constant text[] := ARRAY[NEW.email, NEW.first_name, NEW.last_name, NEW.phone, NEW.vat_number,
        NEW.company_name, NEW.company_billing_address, NEW.company_delivery_address];
BEGIN
    FOR n IN 1..cardinality(kinds) LOOP
        IF before[n] = ANY (since) THEN
            before[n] := NULL;
        END IF;
    END LOOP;
    INSERT INTO known_value (order_id, kind, words, digest)
    SELECT OLD.order_id, d.kind, d.words, d.digest FROM digests_of(kinds, before) d
    WHERE NOT EXISTS (SELECT FROM unnest(kinds, since) n(kind, value)
        WHERE n.kind = d.kind AND value_key(n.kind, n.value) = d.key)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS orders_remember ON orders;
CREATE TRIGGER orders_remember AFTER UPDATE OF email, first_name, last_name, phone, vat_number, company_name,
        company_billing_address, company_delivery_address ON orders
    FOR EACH ROW WHEN (NOT NEW.customer_erased AND NOT OLD.customer_erased
        AND (OLD.email, OLD.first_name, OLD.last_name, OLD.phone, OLD.vat_number, OLD.company_name,
            OLD.company_billing_address, OLD.company_delivery_address)
        IS DISTINCT FROM (NEW.email, NEW.first_name, NEW.last_name, NEW.phone, NEW.vat_number, NEW.company_name,
            NEW.company_billing_address, NEW.company_delivery_address))
    EXECUTE FUNCTION remember_customer();

-- Of a licence user who is replaced, or whose item is. An order that goes as a whole takes its digests along.
CREATE OR REPLACE FUNCTION remember_licence_user() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO known_value (order_id, position, kind, words, digest)
    SELECT o.order_id, OLD.position, d.kind, d.words, d.digest
    FROM orders o, digests_of(ARRAY['email', 'name', 'name'],
        ARRAY[OLD.license_email, OLD.license_first_name, OLD.license_last_name]) d
    WHERE o.order_id = OLD.order_id AND NOT o.customer_erased
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS order_item_remember ON order_item;
CREATE TRIGGER order_item_remember AFTER UPDATE OF license_email, license_first_name, license_last_name ON order_item
    FOR EACH ROW WHEN (NOT NEW.license_erased
        AND (OLD.license_email, OLD.license_first_name, OLD.license_last_name)
        IS DISTINCT FROM (NEW.license_email, NEW.license_first_name, NEW.license_last_name))
    EXECUTE FUNCTION remember_licence_user();
DROP TRIGGER IF EXISTS order_item_remember_deleted ON order_item;
CREATE TRIGGER order_item_remember_deleted AFTER DELETE ON order_item
    FOR EACH ROW WHEN (num_nonnulls(OLD.license_email, OLD.license_first_name, OLD.license_last_name) > 0)
    EXECUTE FUNCTION remember_licence_user();

-- Who deletes a person: an administrator, or the import of a document that says so.
CREATE OR REPLACE FUNCTION check_may_erase() RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF viewer_role() IS DISTINCT FROM 'administrator' AND current_setting('role') <> 'esupport_jobs' THEN
        RAISE EXCEPTION 'not an administrator' USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;

-- Whose e-mail is asked for: orders of the customer, orders in which they are a licence's user, and orders whose
-- customer had this e-mail before and has another one now.
DROP FUNCTION IF EXISTS erase_person(text), orders_of_person(text), pattern_of_values(text[]),
    details_without(jsonb, text);
CREATE FUNCTION orders_of_person(wanted text) RETURNS TABLE (order_id bigint, part text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM check_may_erase();
    RETURN QUERY
    SELECT found.order_id, min(found.part) FROM (
        SELECT o.order_id, 'customer' AS part FROM orders o WHERE o.email_key = email_key(wanted)
        UNION ALL
        SELECT i.order_id, 'licence user' FROM order_item i WHERE email_key(i.license_email) = email_key(wanted)
        UNION ALL
        SELECT k.order_id, 'past e-mail' FROM digests_of(ARRAY['email'], ARRAY[wanted]) d
            JOIN known_value k ON k.digest = d.digest AND k.kind = d.kind AND NOT k.erased
    ) found
    GROUP BY found.order_id;
END $$;

-- Every string in a value of JSON, with its path.
CREATE OR REPLACE FUNCTION json_strings(given jsonb) RETURNS TABLE (path text[], value text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH RECURSIVE inside(path, value) AS (
        SELECT '{}'::text[], given
        UNION ALL
        SELECT i.path || c.key, c.value FROM inside i CROSS JOIN LATERAL (
            SELECT e.key, e.value FROM jsonb_each(CASE jsonb_typeof(i.value) WHEN 'object' THEN i.value END) e
            UNION ALL
            SELECT (a.n - 1)::text, a.value
            FROM jsonb_array_elements(CASE jsonb_typeof(i.value) WHEN 'array' THEN i.value END)
                WITH ORDINALITY a(value, n)) c
    )
    SELECT path, value #>> '{}' FROM inside WHERE jsonb_typeof(value) = 'string'
$$;

-- The texts of these orders in which somebody may be mentioned. `place` is a table and a column, `key` the row's.
CREATE OR REPLACE FUNCTION personal_texts(of_orders bigint[])
    RETURNS TABLE (order_id bigint, place text, key text, path text[], value text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
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
        FROM orders o, json_strings(o.additional_parameters) s WHERE o.order_id = ANY (of_orders);
END $$;

-- Whether a text may hold one of these e-mails or numbers, given as patterns of LIKE in small letters: cheap for the many
-- that do not, and certain for none. `wide`: a pattern has letters beyond ASCII.
CREATE OR REPLACE FUNCTION may_mention(value text, emails text[], numbers text[], wide boolean) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN value IS NULL THEN false
        WHEN lower(value COLLATE "C") LIKE ANY (emails || numbers) THEN true
        WHEN octet_length(value) = length(value) THEN false
        WHEN (wide OR value ~ '[\uFF01-\uFF5E\u00AD\u200B-\u200F\u2060-\u2064\uFEFF]')
            AND lower(normalize(regexp_replace(value, '[\u00AD\u200B-\u200F\u2060-\u2064\uFEFF]', '', 'g'), NFKC))
                LIKE ANY (emails || numbers) THEN true
        -- Digits of other scripts.
        ELSE cardinality(numbers) > 0 AND value ~ '[\u0660-\u1C59\uA620-\uABF9\uFF10-\uFF19\U000104A0-\U0001FBF9]'
            AND digits(value) LIKE ANY (numbers) END;

-- Texts of other orders, and of none, that may hold one of these: what people and the portal wrote, and what shops told.
CREATE OR REPLACE FUNCTION texts_matching(emails text[], numbers text[], wide boolean, besides bigint[])
    RETURNS TABLE (order_id bigint, place text, key text, path text[], value text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
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
    ) t(order_id, place, key, path, value)
    WHERE t.order_id IS NULL OR t.order_id <> ALL (besides);
END $$;

-- The text with the word "deleted" in place of these spans, [first, length] each, counted from 0.
CREATE OR REPLACE FUNCTION text_without(value text, spans jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    span jsonb;
BEGIN
    FOR span IN SELECT s FROM jsonb_array_elements(spans) s ORDER BY (s ->> 0)::integer DESC LOOP
        value := overlay(value PLACING 'deleted' FROM (span ->> 0)::integer + 1 FOR (span ->> 1)::integer);
    END LOOP;
    RETURN value;
END $$;

-- The log only grows, but for one thing: a person's values are taken out of it when the person is (0003).
-- Cuts spans out of texts: the one way in which a deletion changes them, so that whoever may delete can write nothing.
-- Returns how many rows of each table changed.
CREATE OR REPLACE FUNCTION erase_spans(cuts jsonb) RETURNS TABLE (place text, changed bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
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
        ('orders', 'additional_parameters', 't.order_id = c.key::bigint', 0, true)
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
END $$;

-- Which kinds of values, of how many words, have digests in these orders; and which of the values given are among them.
-- Of values that somebody had before, unless `of_erased`: those of who was deleted.
CREATE OR REPLACE FUNCTION known_sizes(of_orders bigint[], of_erased boolean)
    RETURNS TABLE (order_id bigint, kind text, words smallint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM check_may_erase();
    RETURN QUERY SELECT DISTINCT k.order_id, k.kind, k.words FROM known_value k
        WHERE k.order_id = ANY (of_orders) AND k.erased = of_erased;
END $$;
CREATE OR REPLACE FUNCTION known_among(of_orders bigint[], of_erased boolean, kinds text[], texts text[])
    RETURNS TABLE (order_id bigint, "position" integer, kind text, value text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM check_may_erase();
    RETURN QUERY SELECT DISTINCT k.order_id, k.position, d.kind, d.value
        FROM digests_of(kinds, texts) d JOIN known_value k ON k.digest = d.digest AND k.kind = d.kind
        WHERE k.order_id = ANY (of_orders) AND k.erased = of_erased;
END $$;

-- Keeps the digests of what was deleted in these orders, so that a later document of one cannot bring it back.
CREATE OR REPLACE FUNCTION remember_erased(of_orders bigint[], kinds text[], texts text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM check_may_erase();
    INSERT INTO known_value (order_id, kind, words, digest, erased)
    SELECT DISTINCT o.order_id, d.kind, d.words, d.digest, true
    FROM orders o, digests_of(kinds, texts) d WHERE o.order_id = ANY (of_orders)
    ON CONFLICT ON CONSTRAINT known_value_pkey DO UPDATE SET erased = true;
    UPDATE known_value k SET erased = true FROM digests_of(kinds, texts) d
    WHERE k.order_id = ANY (of_orders) AND k.digest = d.digest AND NOT k.erased;
END $$;

-- Saved searches for one of these values, field by field as a search compares them, or with one of them in a text.
CREATE OR REPLACE FUNCTION saved_search_texts() RETURNS TABLE (key text, field text, value text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM check_may_erase();
    RETURN QUERY SELECT s.key, t.path[cardinality(t.path)], t.value FROM saved_search s, json_strings(s.filters) t
        WHERE t.path[cardinality(t.path)] NOT IN ('zone', 'order_ids', 'activation_code', 'subscription');
END $$;
CREATE OR REPLACE FUNCTION erase_saved_searches(keys text[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    removed integer;
BEGIN
    PERFORM check_may_erase();
    DELETE FROM saved_search s WHERE s.key = ANY (keys);
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END $$;

-- Empties what is emptied (db/personal.py): all of the orders that were the person's own, the licence user's part in
-- others, and the messages to them, whose rows the caller has locked. A message that waits is taken back.
CREATE OR REPLACE FUNCTION empty_person(own bigint[], emails text[], locked_mails bigint[], announced bigint[])
    RETURNS TABLE (documents bigint, mails bigint, taken_back bigint, under_way bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
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
                OR m.account_id IS NULL AND email_key(m.to_address) = ANY (keys))
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
    WHERE i.order_id = ANY (own) OR email_key(i.license_email) = ANY (keys);
    UPDATE orders o SET customer_erased = true, email = NULL, first_name = NULL, last_name = NULL, phone = NULL,
        vat_number = NULL, company_name = NULL, company_billing_address = NULL, company_delivery_address = NULL,
        card_last_4 = NULL, card_expiration_date = NULL, additional_parameters = '[]', detail_url = NULL
    WHERE o.order_id = ANY (own);
    UPDATE known_value k SET erased = true WHERE k.order_id = ANY (own) AND NOT k.erased;
    INSERT INTO order_history (order_id, checkout_page_id, kind, text, source, account_id, author)
    SELECT o.order_id, o.checkout_page_id, 'anonymization', 'Personal data anonymize', 'portal', a.id, a.name
    FROM orders o LEFT JOIN account a ON a.id = viewer_id() WHERE o.order_id = ANY (announced) ORDER BY o.order_id;
    RETURN NEXT;
END $$;

-- A worker that is being answered for a message while its customer is deleted writes nothing of them afterwards.
CREATE OR REPLACE FUNCTION keep_mail_erased() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM orders WHERE order_id = NEW.order_id AND customer_erased) THEN
        NEW.to_address := NULL;
        NEW.to_name := NULL;
        NEW.text_body := 'deleted';
        NEW.html_body := NULL;
        NEW.last_error := regexp_replace(NEW.last_error, '\S+@\S+', 'deleted', 'g');
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS mail_keep_erased ON mail;
CREATE TRIGGER mail_keep_erased BEFORE UPDATE OF state ON mail
    FOR EACH ROW WHEN (NEW.kind = 'licence' AND NEW.order_id IS NOT NULL AND NEW.to_address IS NOT NULL)
    EXECUTE FUNCTION keep_mail_erased();

-- What was decided before somebody was deleted may be carried out after it: a text that comes in then, about an order
-- they were deleted from, loses the values whose digests are kept. A single name counts only where the person was a part.
CREATE OR REPLACE FUNCTION text_without_erased(of_order bigint, given text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    pattern text;
    plain text;
BEGIN
    IF given IS NULL OR NOT EXISTS (SELECT FROM known_value k WHERE k.order_id = of_order AND k.erased) THEN
        RETURN given;
    END IF;
    plain := normalize(given, NFC);
    WITH sizes AS (
        SELECT DISTINCT k.kind, k.words FROM known_value k
        WHERE k.order_id = of_order AND k.erased AND k.kind NOT IN ('email', 'phone')
            AND (k.words > 1 OR EXISTS (SELECT FROM orders o WHERE o.order_id = of_order AND o.customer_erased)
                OR EXISTS (SELECT FROM order_item i WHERE i.order_id = of_order AND i.license_erased))
    ), word AS (
        SELECT n, m[1] AS word FROM regexp_matches(plain, '[[:alnum:]]+', 'g') WITH ORDINALITY g(m, n)
    ), try AS (
        SELECT 'email' AS kind, rtrim(m[1], '.!?') AS value
        FROM regexp_matches(plain, '([^\s<>"''(),;:]+@[^\s<>"''(),;:]+)', 'g') m
        UNION SELECT 'phone', m[1] FROM regexp_matches(plain, '(\+?\d[\d\s().\-/]{3,}\d)', 'g') m
        UNION SELECT s.kind, (SELECT string_agg(w.word, ' ' ORDER BY w.n) FROM word w
            WHERE w.n BETWEEN f.n AND f.n + s.words - 1) FROM sizes s, word f
    )
    SELECT string_agg(DISTINCT replace(quoted, ' ', '[^[:alnum:]]{1,6}'), '|')
    INTO pattern
    FROM digests_of(array(SELECT t.kind FROM try t WHERE length(t.value) > 1),
        array(SELECT t.value FROM try t WHERE length(t.value) > 1)) d
    CROSS JOIN LATERAL (SELECT regexp_replace(d.value, '([][\\.^$*+?(){}|-])', '\\\1', 'g') AS quoted) q
    WHERE EXISTS (SELECT FROM known_value k
        WHERE k.order_id = of_order AND k.erased AND k.kind = d.kind AND k.digest = d.digest);
    IF pattern IS NULL THEN
        RETURN given;
    END IF;
    RETURN regexp_replace(plain, '(?<![[:alnum:]])(' || pattern || ')(?![[:alnum:]])', 'deleted', 'gi');
END $$;

CREATE OR REPLACE FUNCTION keep_history_erased() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    -- What the mail worker tells of a message that was under way meanwhile.
    IF NEW.kind IN ('email', 'error') AND EXISTS (SELECT FROM orders WHERE order_id = NEW.order_id AND customer_erased) THEN
        NEW.text := regexp_replace(NEW.text, '\S+@\S+', 'deleted', 'g');
    END IF;
    NEW.text := left(text_without_erased(NEW.order_id, NEW.text), 20000);
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS order_history_keep_erased ON order_history;
CREATE TRIGGER order_history_keep_erased BEFORE INSERT ON order_history
    FOR EACH ROW WHEN (NEW.source = 'portal') EXECUTE FUNCTION keep_history_erased();
CREATE OR REPLACE FUNCTION keep_refund_erased() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    NEW.reason := left(text_without_erased(NEW.order_id, NEW.reason), 20000);
    NEW.note := left(text_without_erased(NEW.order_id, NEW.note), 20000);
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS refund_request_keep_erased ON refund_request;
CREATE TRIGGER refund_request_keep_erased BEFORE INSERT OR UPDATE OF reason, note ON refund_request
    FOR EACH ROW EXECUTE FUNCTION keep_refund_erased();
CREATE OR REPLACE FUNCTION keep_event_erased() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    NEW.reason := left(text_without_erased(NEW.order_id, NEW.reason), 2000);
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS subscription_event_keep_erased ON subscription_event;
CREATE TRIGGER subscription_event_keep_erased BEFORE INSERT ON subscription_event
    FOR EACH ROW WHEN (NEW.reason IS NOT NULL) EXECUTE FUNCTION keep_event_erased();
CREATE OR REPLACE FUNCTION keep_subscription_erased() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    NEW.change_reason := text_without_erased(NEW.order_id, NEW.change_reason);
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS subscription_keep_erased ON subscription;
CREATE TRIGGER subscription_keep_erased BEFORE UPDATE OF change_reason ON subscription
    FOR EACH ROW WHEN (NEW.change_reason IS DISTINCT FROM OLD.change_reason) EXECUTE FUNCTION keep_subscription_erased();

REVOKE ALL ON FUNCTION without_invisible(text), value_key(text, text), digests_of(text[], text[]), remember_customer(), remember_licence_user(),
    check_may_erase(), orders_of_person(text),
    may_mention(text, text[], text[], boolean), json_strings(jsonb), personal_texts(bigint[]),
    texts_matching(text[], text[], boolean, bigint[]), text_without(text, jsonb), erase_spans(jsonb), known_sizes(bigint[], boolean),
    known_among(bigint[], boolean, text[], text[]), remember_erased(bigint[], text[], text[]), saved_search_texts(),
    erase_saved_searches(text[]), empty_person(bigint[], text[], bigint[], bigint[]), keep_mail_erased(),
    text_without_erased(bigint, text), keep_history_erased(), keep_refund_erased(), keep_event_erased(),
    keep_subscription_erased() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION orders_of_person(text), personal_texts(bigint[]), texts_matching(text[], text[], boolean, bigint[]),
    erase_spans(jsonb), known_sizes(bigint[], boolean), known_among(bigint[], boolean, text[], text[]),
    remember_erased(bigint[], text[], text[]), saved_search_texts(), erase_saved_searches(text[]),
    empty_person(bigint[], text[], bigint[], bigint[]) TO esupport_app, esupport_jobs;
