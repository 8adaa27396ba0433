CREATE POLICY jobs ON bulk_run_order
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY own ON bulk_run_order
    FOR ALL TO esupport_app
    USING ((run_id IN ( SELECT r.id
   FROM bulk_run r)));
