CREATE POLICY jobs ON mail_handover
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);
