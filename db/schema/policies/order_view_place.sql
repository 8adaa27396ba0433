CREATE POLICY jobs ON order_view_place
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY own ON order_view_place
    FOR ALL TO esupport_app
    USING (((account_id = ( SELECT viewer_id() AS viewer_id)) AND (( SELECT viewer_role() AS viewer_role) IS NOT NULL)));
