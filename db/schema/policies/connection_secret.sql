CREATE POLICY jobs ON connection_secret
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);
