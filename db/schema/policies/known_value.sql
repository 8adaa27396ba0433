CREATE POLICY jobs ON known_value
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);
