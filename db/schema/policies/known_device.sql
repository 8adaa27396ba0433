CREATE POLICY administrator ON known_device
    FOR SELECT TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY administrator_unlocks ON known_device
    FOR UPDATE TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY jobs ON known_device
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);
