CREATE POLICY administrator_changes ON role_rule
    FOR UPDATE TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY jobs ON role_rule
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY seen ON role_rule
    FOR SELECT TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) IS NOT NULL));
