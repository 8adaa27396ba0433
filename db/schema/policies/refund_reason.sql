CREATE POLICY administrator_adds ON refund_reason
    FOR INSERT TO esupport_app
    WITH CHECK ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY administrator_changes ON refund_reason
    FOR UPDATE TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY everybody ON refund_reason
    FOR SELECT TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) IS NOT NULL));

CREATE POLICY jobs ON refund_reason
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);
