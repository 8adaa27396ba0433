CREATE POLICY added ON connection_secret
    FOR INSERT TO esupport_app
    WITH CHECK ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY administrator ON connection_secret
    FOR SELECT TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY changed ON connection_secret
    FOR UPDATE TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY jobs ON connection_secret
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);
