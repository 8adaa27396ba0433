CREATE POLICY jobs ON password_reset
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);
