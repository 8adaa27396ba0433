CREATE POLICY jobs ON mail_server
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY known ON mail_server
    FOR SELECT TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) IS NOT NULL));
