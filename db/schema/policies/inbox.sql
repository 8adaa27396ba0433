CREATE POLICY administrator ON inbox
    FOR SELECT TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY changed ON inbox
    FOR UPDATE TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY jobs ON inbox
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);
