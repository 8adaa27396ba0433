CREATE POLICY added ON awaited_action
    FOR INSERT TO esupport_app
    WITH CHECK (((checkout_page_id = ANY (( SELECT viewer_page_ids() AS viewer_page_ids)::integer[])) AND ( SELECT viewer_may_act() AS viewer_may_act) AND (account_id = ( SELECT viewer_id() AS viewer_id))));

CREATE POLICY jobs ON awaited_action
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY scope ON awaited_action
    FOR SELECT TO esupport_app
    USING ((checkout_page_id = ANY (( SELECT viewer_page_ids() AS viewer_page_ids)::integer[])));

CREATE POLICY stopped ON awaited_action
    FOR UPDATE TO esupport_app
    USING (((checkout_page_id = ANY (( SELECT viewer_page_ids() AS viewer_page_ids)::integer[])) AND (state = ANY (ARRAY['recorded'::text, 'sent'::text])) AND
CASE kind
    WHEN 'refund'::text THEN ( SELECT viewer_may_work_refunds() AS viewer_may_work_refunds)
    ELSE ( SELECT viewer_may_act() AS viewer_may_act)
END))
    WITH CHECK ((state = 'not delivered'::text));
