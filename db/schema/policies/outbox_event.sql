CREATE POLICY added ON outbox_event
    FOR INSERT TO esupport_app
    WITH CHECK (((checkout_page_id = ANY (( SELECT viewer_page_ids() AS viewer_page_ids)::integer[])) AND ( SELECT viewer_may_act() AS viewer_may_act)));

CREATE POLICY jobs ON outbox_event
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY scope ON outbox_event
    FOR SELECT TO esupport_app
    USING ((checkout_page_id = ANY (( SELECT viewer_page_ids() AS viewer_page_ids)::integer[])));
