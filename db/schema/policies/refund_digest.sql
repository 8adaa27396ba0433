CREATE POLICY jobs ON refund_digest
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY own ON refund_digest
    FOR SELECT TO esupport_app
    USING ((account_id = ( SELECT viewer_id() AS viewer_id)));

CREATE POLICY own_adds ON refund_digest
    FOR INSERT TO esupport_app
    WITH CHECK (((account_id = ( SELECT viewer_id() AS viewer_id)) AND ( SELECT viewer_may_work_refunds() AS viewer_may_work_refunds)));

CREATE POLICY own_changes ON refund_digest
    FOR UPDATE TO esupport_app
    USING ((account_id = ( SELECT viewer_id() AS viewer_id)));

CREATE POLICY own_removes ON refund_digest
    FOR DELETE TO esupport_app
    USING ((account_id = ( SELECT viewer_id() AS viewer_id)));
