CREATE POLICY issued ON activation_code
    FOR INSERT TO esupport_app
    WITH CHECK (((checkout_page_id = ANY (( SELECT viewer_page_ids() AS viewer_page_ids)::integer[])) AND ( SELECT viewer_may_act() AS viewer_may_act) AND (issued_at IS NOT NULL) AND (NOT deleted)));

CREATE POLICY jobs ON activation_code
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY refund ON activation_code
    FOR UPDATE TO esupport_app
    USING (((checkout_page_id = ANY (( SELECT viewer_page_ids() AS viewer_page_ids)::integer[])) AND ( SELECT viewer_may_work_refunds() AS viewer_may_work_refunds)));

CREATE POLICY replaced ON activation_code
    FOR UPDATE TO esupport_app
    USING (((checkout_page_id = ANY (( SELECT viewer_page_ids() AS viewer_page_ids)::integer[])) AND ( SELECT viewer_may_act() AS viewer_may_act)))
    WITH CHECK ((deleted AND (replaced_at IS NOT NULL)));

CREATE POLICY scope ON activation_code
    FOR SELECT TO esupport_app
    USING ((checkout_page_id = ANY (( SELECT viewer_page_ids() AS viewer_page_ids)::integer[])));
