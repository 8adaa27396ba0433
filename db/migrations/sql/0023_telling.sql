-- The customer is told of a refund, in texts that administrators may change; refund operators are told of requests.

ALTER TABLE checkout_page
    ADD COLUMN refund_mail boolean NOT NULL DEFAULT false,
    ADD COLUMN refund_limit_hours integer
        CONSTRAINT checkout_page_refund_limit CHECK (refund_limit_hours BETWEEN 1 AND 8760);
GRANT UPDATE (refund_mail, refund_limit_hours) ON checkout_page TO esupport_app;

-- A text of a store in place of the built-in one. Of which refunds, and in which language, is the program's to know.
CREATE TABLE mail_text (
    checkout_page_id integer NOT NULL REFERENCES checkout_page ON DELETE CASCADE,
    kind text NOT NULL CONSTRAINT mail_text_kind_known CHECK (kind IN ('full', 'partial')),
    language text NOT NULL CONSTRAINT mail_text_language CHECK (language ~ '^[a-z]{2,3}$'),
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 1000),
    body text NOT NULL CHECK (length(body) BETWEEN 1 AND 20000),
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (checkout_page_id, kind, language)
);
ALTER TABLE mail_text ENABLE ROW LEVEL SECURITY;
CREATE POLICY jobs ON mail_text TO esupport_jobs USING (true) WITH CHECK (true);
-- Whoever carries a refund out writes its mail.
CREATE POLICY scope ON mail_text FOR SELECT TO esupport_app
    USING (checkout_page_id = ANY ((SELECT viewer_page_ids())::integer[]));
CREATE POLICY administrator_adds ON mail_text FOR INSERT TO esupport_app
    WITH CHECK ((SELECT viewer_role()) = 'administrator');
CREATE POLICY administrator_changes ON mail_text FOR UPDATE TO esupport_app
    USING ((SELECT viewer_role()) = 'administrator');
CREATE POLICY administrator_removes ON mail_text FOR DELETE TO esupport_app
    USING ((SELECT viewer_role()) = 'administrator');
GRANT SELECT, INSERT, UPDATE, DELETE ON mail_text TO esupport_jobs;
GRANT SELECT, DELETE, INSERT (checkout_page_id, kind, language, subject, body),
    UPDATE (subject, body, changed_at) ON mail_text TO esupport_app;

-- Who wants to be told of refund requests by mail, and when next; nobody who has no row. `told_until` is how far the
-- last look has come.
CREATE TABLE refund_digest (
    account_id integer PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    every text NOT NULL CONSTRAINT refund_digest_every_known CHECK (every IN ('hour', 'day')),
    hour smallint CHECK (hour BETWEEN 0 AND 23),
    time_zone text NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 100),
    next_at timestamptz NOT NULL,
    told_until timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT refund_digest_hour CHECK ((every = 'day') = (hour IS NOT NULL))
);
CREATE INDEX refund_digest_due ON refund_digest (next_at);
ALTER TABLE refund_digest ENABLE ROW LEVEL SECURITY;
CREATE POLICY jobs ON refund_digest TO esupport_jobs USING (true) WITH CHECK (true);
CREATE POLICY own ON refund_digest FOR SELECT TO esupport_app USING (account_id = (SELECT viewer_id()));
CREATE POLICY own_adds ON refund_digest FOR INSERT TO esupport_app
    WITH CHECK (account_id = (SELECT viewer_id()) AND (SELECT viewer_may_work_refunds()));
CREATE POLICY own_changes ON refund_digest FOR UPDATE TO esupport_app USING (account_id = (SELECT viewer_id()));
CREATE POLICY own_removes ON refund_digest FOR DELETE TO esupport_app USING (account_id = (SELECT viewer_id()));
GRANT SELECT, INSERT, UPDATE, DELETE ON refund_digest TO esupport_jobs;
GRANT SELECT, DELETE, INSERT (account_id, every, hour, time_zone, next_at), UPDATE (every, hour, time_zone, next_at)
    ON refund_digest TO esupport_app;

-- The one rule of which stores an account sees: of the viewer for pages, of any account for the jobs.
CREATE FUNCTION account_page_ids(of_account integer) RETURNS integer[]
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RETURN (SELECT coalesce(array_agg(p.id), '{}')
        FROM checkout_page p, account a
        WHERE a.id = of_account AND a.disabled_at IS NULL AND (
            a.role = 'administrator' OR a.all_stores
            OR EXISTS (SELECT FROM account_page g WHERE g.account_id = a.id AND g.checkout_page_id = p.id)
            OR EXISTS (SELECT FROM team_member m JOIN team_page g USING (team_id)
                WHERE m.account_id = a.id AND g.checkout_page_id = p.id)));
END $$;
REVOKE ALL ON FUNCTION account_page_ids(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION account_page_ids(integer) TO esupport_jobs;

CREATE OR REPLACE FUNCTION viewer_page_ids() RETURNS integer[]
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RETURN account_page_ids(viewer_id());
END $$;

-- Mails to customers, beside those to accounts.
CREATE FUNCTION is_customer_mail(kind text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN kind IN ('licence', 'customer_refund');

CREATE OR REPLACE FUNCTION empty_person(own bigint[], emails text[], locked_mails bigint[], announced bigint[], of_store integer DEFAULT NULL)
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
            AND (m.order_id = ANY (own) AND is_customer_mail(m.kind)
                OR (m.account_id IS NULL OR is_customer_mail(m.kind)) AND email_key(m.to_address) = ANY (keys)
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

DROP TRIGGER mail_keep_erased ON mail;
CREATE TRIGGER mail_keep_erased BEFORE UPDATE OF state ON mail
    FOR EACH ROW WHEN (is_customer_mail(NEW.kind) AND NEW.order_id IS NOT NULL AND NEW.to_address IS NOT NULL)
    EXECUTE FUNCTION keep_mail_erased();
