CREATE POLICY added ON audit_log
    FOR INSERT TO esupport_app
    WITH CHECK ((account_id = ( SELECT known_viewer_id() AS known_viewer_id)));

CREATE POLICY administrator ON audit_log
    FOR SELECT TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY jobs ON audit_log
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);
