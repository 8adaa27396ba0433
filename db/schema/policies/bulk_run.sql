CREATE POLICY jobs ON bulk_run
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY own ON bulk_run
    FOR ALL TO esupport_app
    USING (((account_id = ( SELECT viewer_id() AS viewer_id)) AND ( SELECT viewer_may_act() AS viewer_may_act)));
