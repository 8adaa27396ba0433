CREATE POLICY jobs ON import_claim
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);
