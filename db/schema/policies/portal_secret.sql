CREATE POLICY jobs ON portal_secret
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);
