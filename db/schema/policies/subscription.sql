CREATE POLICY act ON subscription
    FOR UPDATE TO esupport_app
    USING (((checkout_page_id = ANY (( SELECT viewer_page_ids() AS viewer_page_ids)::integer[])) AND ( SELECT viewer_may_act() AS viewer_may_act)));

CREATE POLICY jobs ON subscription
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY scope ON subscription
    FOR SELECT TO esupport_app
    USING ((checkout_page_id = ANY (( SELECT viewer_page_ids() AS viewer_page_ids)::integer[])));
