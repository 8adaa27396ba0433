-- What administrators change, the lives of accounts and passwords, and the deletion of personal data.

ALTER TABLE account ADD COLUMN one_time_until timestamptz;
ALTER TABLE account_session
    ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    ADD COLUMN browser text CHECK (length(browser) <= 400),
    DROP CONSTRAINT account_session_ended_because_check,
    ADD CHECK (ended_because IN ('signed out', 'password changed', 'disabled', 'reset', 'role changed', 'ended'));

-- NULL: what payment_method says.
ALTER TABLE checkout_page
    ADD COLUMN time_zone text CHECK (length(time_zone) <= 64),
    ADD COLUMN refund_document_methods text[];

CREATE TABLE password_reset (
    token_digest bytea PRIMARY KEY CHECK (length(token_digest) = 32),
    account_id integer NOT NULL REFERENCES account ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL DEFAULT now() + interval '1 hour',
    used_at timestamptz
);
CREATE INDEX password_reset_account ON password_reset (account_id, created_at);
ALTER TABLE password_reset ENABLE ROW LEVEL SECURITY;
CREATE POLICY jobs ON password_reset TO esupport_jobs USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON password_reset TO esupport_jobs;

-- Administrators.
DO $$
DECLARE
    name text;
    is_administrator constant text := '(SELECT viewer_role()) = ''administrator''';
BEGIN
    FOREACH name IN ARRAY ARRAY['account', 'team', 'checkout_page', 'account_session'] LOOP
        EXECUTE format('CREATE POLICY administrator_changes ON %I FOR UPDATE TO esupport_app USING (%s)',
            name, is_administrator);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['account', 'team', 'team_member', 'team_page', 'account_page', 'checkout_page'] LOOP
        EXECUTE format('CREATE POLICY administrator_adds ON %I FOR INSERT TO esupport_app WITH CHECK (%s)',
            name, is_administrator);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['team', 'team_member', 'team_page', 'account_page'] LOOP
        EXECUTE format('CREATE POLICY administrator_removes ON %I FOR DELETE TO esupport_app USING (%s)',
            name, is_administrator);
    END LOOP;
END $$;
GRANT SELECT (one_time_until) ON account TO esupport_app;
GRANT INSERT (email, name, role, all_stores, password_hash, must_change_password, one_time_until),
    UPDATE (name, role, all_stores, password_hash, must_change_password, one_time_until, failed_sign_ins,
        locked_until, disabled_at) ON account TO esupport_app;
GRANT INSERT (name), UPDATE (name), DELETE ON team TO esupport_app;
GRANT INSERT, DELETE ON team_member, team_page, account_page TO esupport_app;
GRANT INSERT (name, title), UPDATE (title, delivery_allowed, refund_again_after_partial, time_zone,
    refund_document_methods) ON checkout_page TO esupport_app;
GRANT UPDATE (ended_at, ended_because) ON account_session TO esupport_app;

-- Whoever changes accounts waits for whoever else does, so that two administrators cannot disable each other.
CREATE FUNCTION keep_an_administrator() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('esupport administrators'));
    IF NOT EXISTS (SELECT FROM account WHERE role = 'administrator' AND disabled_at IS NULL) THEN
        RAISE EXCEPTION 'the last administrator' USING ERRCODE = 'ES001';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_an_administrator AFTER UPDATE OF role, disabled_at ON account
    FOR EACH ROW WHEN (OLD.role = 'administrator' AND OLD.disabled_at IS NULL
        AND (NEW.role <> 'administrator' OR NEW.disabled_at IS NOT NULL))
    EXECUTE FUNCTION keep_an_administrator();

-- A one-time password lets in for 72 hours.
CREATE OR REPLACE FUNCTION account_to_check(login text)
    RETURNS TABLE (id integer, password_hash text, may_sign_in boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT id, password_hash, disabled_at IS NULL AND coalesce(locked_until <= now(), true)
        AND coalesce(one_time_until > now(), true)
    FROM account WHERE email_key = fold(login)
$$;

DROP FUNCTION open_account_session(integer, bytea, interval, text);
CREATE FUNCTION open_account_session(for_account integer, digest bytea, valid_for interval, from_address text,
        with_browser text)
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    found_email text;
BEGIN
    UPDATE account SET failed_sign_ins = 0, locked_until = NULL
    WHERE id = for_account AND disabled_at IS NULL AND coalesce(locked_until <= now(), true)
        AND coalesce(one_time_until > now(), true)
    RETURNING email INTO found_email;
    IF found_email IS NULL THEN
        RETURN false;
    END IF;
    INSERT INTO account_session (token_digest, account_id, expires_at, address, browser)
    VALUES (digest, for_account, now() + valid_for, left(from_address, 100), left(with_browser, 400));
    INSERT INTO audit_log (account_id, account_email, action, address, details)
    VALUES (for_account, found_email, 'sign in', left(from_address, 100),
        jsonb_strip_nulls(jsonb_build_object('browser', left(with_browser, 400))));
    RETURN true;
END $$;

CREATE OR REPLACE FUNCTION change_own_password(new_hash text, kept_digest bytea, from_address text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    found_email text;
BEGIN
    UPDATE account SET password_hash = new_hash, must_change_password = false, one_time_until = NULL
    WHERE id = viewer_id() AND disabled_at IS NULL
    RETURNING email INTO found_email;
    IF found_email IS NULL THEN
        RAISE EXCEPTION 'no viewer' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE account_session SET ended_at = now(), ended_because = 'password changed'
    WHERE account_id = viewer_id() AND ended_at IS NULL AND token_digest IS DISTINCT FROM kept_digest;
    INSERT INTO audit_log (account_id, account_email, action, address)
    VALUES (viewer_id(), found_email, 'change password', left(from_address, 100));
END $$;

-- Ends one of the viewer's own sessions.
CREATE FUNCTION end_own_session(session_id bigint, from_address text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    UPDATE account_session SET ended_at = now(), ended_because = 'ended'
    WHERE id = session_id AND account_id = viewer_id() AND ended_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO audit_log (account_id, account_email, action, address, details)
    SELECT id, email, 'end session', left(from_address, 100), jsonb_build_object('session', session_id)
    FROM account WHERE id = viewer_id();
    RETURN true;
END $$;

-- A forgotten password: queues the mail with the link for an account that may sign in, three an hour at most, and does
-- nothing visible else. Whoever asks learns nothing.
CREATE FUNCTION request_password_reset(login text, digest bytea, id_of_message text, subject_line text,
        text_part text, html_part text, from_address text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    found account%ROWTYPE;
BEGIN
    SELECT * INTO found FROM account WHERE email_key = fold(login) AND disabled_at IS NULL FOR UPDATE;
    INSERT INTO audit_log (account_id, account_email, action, address, succeeded)
    VALUES (found.id, found.email, 'forgot password', left(from_address, 100), found.id IS NOT NULL);
    IF found.id IS NULL OR (SELECT count(*) FROM password_reset
            WHERE account_id = found.id AND created_at > now() - interval '1 hour') >= 3 THEN
        RETURN;
    END IF;
    INSERT INTO password_reset (token_digest, account_id) VALUES (digest, found.id);
    INSERT INTO mail (message_id, kind, to_address, to_name, subject, text_body, html_body, account_id)
    VALUES (id_of_message, 'password', found.email, found.name, subject_line, text_part, html_part, found.id);
END $$;

-- Whose password the link sets; NULL once it was used, an hour has passed, or the account was disabled.
CREATE FUNCTION password_reset_email(digest bytea) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT a.email FROM password_reset r JOIN account a ON a.id = r.account_id
    WHERE r.token_digest = digest AND r.used_at IS NULL AND r.expires_at > now() AND a.disabled_at IS NULL
$$;

CREATE FUNCTION reset_password(digest bytea, new_hash text, from_address text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    found_id integer;
    found_email text;
BEGIN
    UPDATE password_reset r SET used_at = now() FROM account a
    WHERE r.token_digest = digest AND r.used_at IS NULL AND r.expires_at > now() AND a.id = r.account_id
        AND a.disabled_at IS NULL
    RETURNING a.id, a.email INTO found_id, found_email;
    IF found_id IS NULL THEN
        RETURN false;
    END IF;
    UPDATE password_reset SET used_at = now() WHERE account_id = found_id AND used_at IS NULL;
    UPDATE account SET password_hash = new_hash, must_change_password = false, one_time_until = NULL,
        failed_sign_ins = 0, locked_until = NULL WHERE id = found_id;
    UPDATE account_session SET ended_at = now(), ended_because = 'password changed'
    WHERE account_id = found_id AND ended_at IS NULL;
    INSERT INTO audit_log (account_id, account_email, action, address)
    VALUES (found_id, found_email, 'reset password', left(from_address, 100));
    RETURN true;
END $$;

-- Accounts whose password stands in the documentation.
CREATE FUNCTION has_demo_accounts() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT EXISTS (SELECT FROM account WHERE email_key LIKE '%@demo.example' AND disabled_at IS NULL) $$;
REVOKE ALL ON FUNCTION has_demo_accounts() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION has_demo_accounts() TO esupport_app;

-- Personal data. Whose e-mail is asked for: orders of the customer, and orders in which they are a licence's user.
CREATE FUNCTION orders_of_person(wanted text)
    RETURNS TABLE (order_id bigint, is_customer boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT found.order_id, bool_or(found.is_customer)
    FROM (
        SELECT o.order_id, true AS is_customer FROM orders o WHERE o.email_key = fold(wanted)
        UNION ALL
        SELECT i.order_id, false FROM order_item i WHERE fold(i.license_email) = fold(wanted)
    ) found
    WHERE viewer_role() = 'administrator'
    GROUP BY found.order_id
$$;
CREATE INDEX order_item_license_email ON order_item (fold(license_email)) WHERE license_email IS NOT NULL;

-- A pattern that finds these values as whole words, longest first; NULL for none. Values of one letter find too much.
CREATE FUNCTION pattern_of_values(given text[]) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT '(?<!\w)(' || string_agg(regexp_replace(value, '([][\\.^$*+?(){}|-])', '\\\1', 'g'), '|'
        ORDER BY length(value) DESC, value) || ')(?!\w)'
    FROM (SELECT DISTINCT btrim(value) AS value FROM unnest(given) value WHERE length(btrim(value)) > 1) values_given
$$;

-- The details of an audit row without the values: in its strings alone, so that numbers and null stay what they are
-- even when somebody is called Null.
CREATE FUNCTION details_without(details jsonb, pattern text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT coalesce(jsonb_object_agg(key, CASE jsonb_typeof(value)
        WHEN 'string' THEN to_jsonb(regexp_replace(value #>> '{}', pattern, 'deleted', 'gi')) ELSE value END), '{}')
    FROM jsonb_each(details)
$$;

-- The log only grows, but for one thing: a person's values are taken out of it when the person is.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('esupport.erasing', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

-- Replaces every value of the person by nothing, or by the word "deleted" in texts, and returns how many orders, mails
-- and documents that were. For administrators.
CREATE FUNCTION erase_person(wanted text) RETURNS TABLE (orders_erased integer, mails_erased integer,
        documents_removed integer)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    own bigint[];
    touched bigint[];
    known text[];
    pattern text;
BEGIN
    IF viewer_role() IS DISTINCT FROM 'administrator' THEN
        RAISE EXCEPTION 'not an administrator' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT coalesce(array_agg(f.order_id ORDER BY f.order_id), '{}'),
        coalesce(array_agg(f.order_id ORDER BY f.order_id) FILTER (WHERE f.is_customer), '{}')
    INTO touched, own FROM orders_of_person(wanted) f;
    PERFORM FROM orders o WHERE o.order_id = ANY (touched) ORDER BY o.order_id FOR UPDATE;

    -- Everything the person could be known by, corrected e-mails included.
    SELECT array_agg(value) INTO known FROM (
        SELECT wanted AS value
        UNION SELECT unnest(ARRAY[o.email, o.first_name, o.last_name, o.first_name || ' ' || o.last_name, o.phone,
            o.vat_number, o.company_name, o.company_billing_address, o.company_delivery_address,
            o.card_expiration_date]) FROM orders o WHERE o.order_id = ANY (own)
        UNION SELECT unnest(ARRAY[i.license_email, i.license_first_name, i.license_last_name])
            FROM order_item i WHERE i.order_id = ANY (own) OR fold(i.license_email) = fold(wanted)
        UNION SELECT unnest(ARRAY[a.details ->> 'old', a.details ->> 'new']) FROM audit_log a
            WHERE a.order_id = ANY (own) AND a.details ? 'new'
    ) found WHERE value IS NOT NULL;
    pattern := pattern_of_values(known);

    UPDATE order_history h SET text = regexp_replace(h.text, pattern, 'deleted', 'gi')
    WHERE h.order_id = ANY (touched) AND h.text ~* pattern;
    UPDATE refund_request r SET reason = regexp_replace(r.reason, pattern, 'deleted', 'gi'),
        note = regexp_replace(r.note, pattern, 'deleted', 'gi')
    WHERE r.order_id = ANY (touched) AND (r.reason ~* pattern OR r.note ~* pattern);
    UPDATE subscription_event e SET reason = regexp_replace(e.reason, pattern, 'deleted', 'gi')
    WHERE e.order_id = ANY (touched) AND e.reason ~* pattern;
    UPDATE subscription s SET change_reason = regexp_replace(s.change_reason, pattern, 'deleted', 'gi')
    WHERE s.order_id = ANY (touched) AND s.change_reason ~* pattern;
    UPDATE action_key k SET answer = regexp_replace(k.answer, pattern, 'deleted', 'gi')
    WHERE k.order_id = ANY (touched) AND k.answer ~* pattern;
    DELETE FROM saved_search s WHERE s.filters::text ~* pattern;
    PERFORM set_config('esupport.erasing', 'on', true);
    UPDATE audit_log a SET details = details_without(a.details, pattern) WHERE a.order_id = ANY (touched);
    PERFORM set_config('esupport.erasing', 'off', true);

    -- Mails to the person go as a whole; others of these orders (to the team) lose the values only.
    UPDATE mail m SET to_address = NULL, to_name = NULL, text_body = 'deleted', html_body = NULL,
        subject = regexp_replace(m.subject, pattern, 'deleted', 'gi'),
        last_error = regexp_replace(m.last_error, pattern, 'deleted', 'gi'),
        state = CASE WHEN m.state = 'queued' THEN 'failed' ELSE m.state END
    WHERE (m.order_id = ANY (own) AND m.kind = 'licence') OR (m.account_id IS NULL AND fold(m.to_address) = fold(wanted));
    GET DIAGNOSTICS mails_erased = ROW_COUNT;
    UPDATE mail m SET text_body = regexp_replace(m.text_body, pattern, 'deleted', 'gi'),
        html_body = regexp_replace(m.html_body, pattern, 'deleted', 'gi'),
        last_error = regexp_replace(m.last_error, pattern, 'deleted', 'gi')
    WHERE m.order_id = ANY (touched) AND (m.text_body ~* pattern OR m.html_body ~* pattern OR m.last_error ~* pattern);
    -- Documents are files that hold the name and the address.
    DELETE FROM order_document d WHERE d.order_id = ANY (own);
    GET DIAGNOSTICS documents_removed = ROW_COUNT;

    UPDATE order_item i SET license_erased = true, license_first_name = NULL, license_last_name = NULL,
        license_email = NULL,
        additional_data = CASE WHEN i.order_id = ANY (own) THEN '[]' ELSE i.additional_data END
    WHERE i.order_id = ANY (own) OR fold(i.license_email) = fold(wanted);
    UPDATE orders o SET customer_erased = true, email = NULL, first_name = NULL, last_name = NULL, phone = NULL,
        vat_number = NULL, company_name = NULL, company_billing_address = NULL, company_delivery_address = NULL,
        card_last_4 = NULL, card_expiration_date = NULL, additional_parameters = '[]', detail_url = NULL
    WHERE o.order_id = ANY (own);
    INSERT INTO order_history (order_id, checkout_page_id, kind, text, source, account_id, author)
    SELECT o.order_id, o.checkout_page_id, 'anonymization', 'Personal data anonymize', 'portal', a.id, a.name
    FROM orders o, account a WHERE o.order_id = ANY (touched) AND a.id = viewer_id();
    orders_erased := cardinality(touched);
    RETURN NEXT;
END $$;

REVOKE ALL ON FUNCTION pattern_of_values(text[]), details_without(jsonb, text), orders_of_person(text), erase_person(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION orders_of_person(text), erase_person(text) TO esupport_app;

REVOKE ALL ON FUNCTION keep_an_administrator(), open_account_session(integer, bytea, interval, text, text),
    end_own_session(bigint, text), password_reset_email(bytea), reset_password(bytea, text, text),
    request_password_reset(text, bytea, text, text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_account_session(integer, bytea, interval, text, text), end_own_session(bigint, text),
    password_reset_email(bytea), reset_password(bytea, text, text),
    request_password_reset(text, bytea, text, text, text, text, text) TO esupport_app;
