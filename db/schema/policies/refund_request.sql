CREATE POLICY added ON refund_request
    FOR INSERT TO esupport_app
    WITH CHECK (((checkout_page_id = ANY (( SELECT viewer_page_ids() AS viewer_page_ids)::integer[])) AND ( SELECT viewer_may_act() AS viewer_may_act) AND (requested_by = ( SELECT viewer_id() AS viewer_id))));

CREATE POLICY jobs ON refund_request
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY refund ON refund_request
    FOR UPDATE TO esupport_app
    USING (((checkout_page_id = ANY (( SELECT viewer_page_ids() AS viewer_page_ids)::integer[])) AND ( SELECT viewer_may_work_refunds() AS viewer_may_work_refunds)));

CREATE POLICY scope ON refund_request
    FOR SELECT TO esupport_app
    USING ((checkout_page_id = ANY (( SELECT viewer_page_ids() AS viewer_page_ids)::integer[])));
