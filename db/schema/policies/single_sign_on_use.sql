CREATE POLICY jobs ON single_sign_on_use
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);
