CREATE POLICY jobs ON sign_in_attempt
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);
