CREATE POLICY jobs ON payment_method
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY scope ON payment_method
    FOR SELECT TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) IS NOT NULL));
