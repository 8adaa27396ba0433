CREATE POLICY jobs ON recovery_code
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);
