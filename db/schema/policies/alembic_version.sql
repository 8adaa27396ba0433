CREATE POLICY jobs ON alembic_version
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);
