CREATE POLICY administrator ON account_session
    FOR SELECT TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY administrator_changes ON account_session
    FOR UPDATE TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY jobs ON account_session
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY own ON account_session
    FOR SELECT TO esupport_app
    USING (((account_id = ( SELECT viewer_id() AS viewer_id)) AND (( SELECT viewer_role() AS viewer_role) IS NOT NULL)));
