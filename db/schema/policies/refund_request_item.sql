CREATE POLICY added ON refund_request_item
    FOR INSERT TO esupport_app
    WITH CHECK (((checkout_page_id = ANY (( SELECT viewer_page_ids() AS viewer_page_ids)::integer[])) AND ( SELECT viewer_may_work_refunds() AS viewer_may_work_refunds)));

CREATE POLICY jobs ON refund_request_item
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY scope ON refund_request_item
    FOR SELECT TO esupport_app
    USING ((checkout_page_id = ANY (( SELECT viewer_page_ids() AS viewer_page_ids)::integer[])));
