CREATE POLICY administered ON connection
    FOR INSERT TO esupport_app
    WITH CHECK ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY changed ON connection
    FOR UPDATE TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY jobs ON connection
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY removed ON connection
    FOR DELETE TO esupport_app
    USING (((( SELECT viewer_role() AS viewer_role) = 'administrator'::text) AND (switched_off_at IS NOT NULL)));

CREATE POLICY scope ON connection
    FOR SELECT TO esupport_app
    USING ((checkout_page_id = ANY (( SELECT viewer_page_ids() AS viewer_page_ids)::integer[])));
