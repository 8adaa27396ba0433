CREATE POLICY administrator_adds ON checkout_page
    FOR INSERT TO esupport_app
    WITH CHECK ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY administrator_changes ON checkout_page
    FOR UPDATE TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY jobs ON checkout_page
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY scope ON checkout_page
    FOR SELECT TO esupport_app
    USING ((id = ANY (( SELECT viewer_page_ids() AS viewer_page_ids)::integer[])));
