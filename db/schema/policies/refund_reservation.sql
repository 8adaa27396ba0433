CREATE POLICY jobs ON refund_reservation
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY scope ON refund_reservation
    FOR SELECT TO esupport_app
    USING ((checkout_page_id = ANY (( SELECT viewer_page_ids() AS viewer_page_ids)::integer[])));
