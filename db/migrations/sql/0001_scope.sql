-- Who sees what. The application connects as esupport_app, which owns nothing and bypasses nothing. It says who
-- is looking by setting esupport.viewer to an account's id for one transaction; without it every table is empty.
-- Imports, housekeeping and mail run as esupport_jobs, which no one can sign in as.

CREATE FUNCTION viewer_id() RETURNS integer
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('esupport.viewer', true), '')::integer;

CREATE FUNCTION viewer_role() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT role FROM account WHERE id = viewer_id() AND disabled_at IS NULL $$;

-- Always an array, so that a viewer without stores compares with nothing rather than with NULL.
CREATE FUNCTION viewer_page_ids() RETURNS integer[]
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT coalesce(array_agg(p.id), '{}')
    FROM checkout_page p, account a
    WHERE a.id = viewer_id() AND a.disabled_at IS NULL AND (
        a.role = 'administrator' OR a.all_stores
        OR EXISTS (SELECT FROM account_page g WHERE g.account_id = a.id AND g.checkout_page_id = p.id)
        OR EXISTS (SELECT FROM team_member m JOIN team_page g USING (team_id)
            WHERE m.account_id = a.id AND g.checkout_page_id = p.id))
$$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['checkout_page', 'account', 'account_session', 'team', 'team_member', 'team_page',
        'account_page', 'portal_secret', 'saved_search', 'audit_log', 'orders', 'order_item', 'activation_code',
        'subscription', 'subscription_event', 'order_document', 'order_history', 'order_relation',
        'payment_method', 'refund_request', 'refund_request_item', 'action_key', 'mail', 'alembic_version']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY jobs ON %I TO esupport_jobs USING (true) WITH CHECK (true)', name);
    END LOOP;

    -- (SELECT …) makes PostgreSQL ask once a statement instead of once a row.
    FOREACH name IN ARRAY ARRAY['orders', 'order_item', 'activation_code', 'subscription', 'subscription_event',
        'order_document', 'order_history', 'order_relation', 'refund_request', 'refund_request_item']
    LOOP
        EXECUTE format('CREATE POLICY scope ON %I TO esupport_app '
            'USING (checkout_page_id = ANY ((SELECT viewer_page_ids())::integer[]))', name);
    END LOOP;
END $$;

CREATE POLICY scope ON checkout_page TO esupport_app USING (id = ANY ((SELECT viewer_page_ids())::integer[]));
CREATE POLICY scope ON payment_method FOR SELECT TO esupport_app USING ((SELECT viewer_role()) IS NOT NULL);
CREATE POLICY own ON account FOR SELECT TO esupport_app
    USING (id = (SELECT viewer_id()) AND disabled_at IS NULL);
CREATE POLICY own ON account_session FOR SELECT TO esupport_app
    USING (account_id = (SELECT viewer_id()) AND (SELECT viewer_role()) IS NOT NULL);
CREATE POLICY own ON team FOR SELECT TO esupport_app USING (EXISTS (
    SELECT FROM team_member m WHERE m.team_id = team.id));
CREATE POLICY own ON team_member FOR SELECT TO esupport_app
    USING (account_id = (SELECT viewer_id()) AND (SELECT viewer_role()) IS NOT NULL);
CREATE POLICY own ON team_page FOR SELECT TO esupport_app
    USING (checkout_page_id = ANY ((SELECT viewer_page_ids())::integer[])
        AND EXISTS (SELECT FROM team_member m WHERE m.team_id = team_page.team_id));
CREATE POLICY own ON account_page FOR SELECT TO esupport_app
    USING (account_id = (SELECT viewer_id()) AND (SELECT viewer_role()) IS NOT NULL);
CREATE POLICY own ON saved_search TO esupport_app
    USING (account_id = (SELECT viewer_id()) AND (SELECT viewer_role()) IS NOT NULL);
CREATE POLICY own ON action_key TO esupport_app
    USING (account_id = (SELECT viewer_id()) AND (SELECT viewer_role()) IS NOT NULL);
CREATE POLICY added ON audit_log FOR INSERT TO esupport_app
    WITH CHECK (account_id = (SELECT viewer_id()) AND (SELECT viewer_role()) IS NOT NULL);

-- Administrators read everything there is to administer.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['account', 'account_session', 'team', 'team_member', 'team_page', 'account_page',
        'audit_log', 'mail']
    LOOP
        EXECUTE format('CREATE POLICY administrator ON %I FOR SELECT TO esupport_app '
            'USING ((SELECT viewer_role()) = ''administrator'')', name);
    END LOOP;
END $$;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO esupport_app, esupport_jobs;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO esupport_app;
REVOKE SELECT ON portal_secret, alembic_version FROM esupport_app;
GRANT SELECT (version_num) ON alembic_version TO esupport_app;
REVOKE SELECT ON account FROM esupport_app;
GRANT SELECT (id, email, email_key, name, role, all_stores, must_change_password, failed_sign_ins, locked_until,
    disabled_at, time_zone, created_at) ON account TO esupport_app;
GRANT INSERT (account_id, account_email, action, order_id, address, succeeded, details) ON audit_log TO esupport_app;
GRANT INSERT, UPDATE (last_opened_at) ON saved_search TO esupport_app;
GRANT INSERT ON action_key TO esupport_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO esupport_jobs;
REVOKE UPDATE, DELETE ON audit_log FROM esupport_jobs;
GRANT EXECUTE ON FUNCTION fold(text), digits(text), viewer_id(), viewer_role(), viewer_page_ids()
    TO esupport_app, esupport_jobs;
