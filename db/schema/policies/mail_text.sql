CREATE POLICY administrator_adds ON mail_text
    FOR INSERT TO esupport_app
    WITH CHECK ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY administrator_changes ON mail_text
    FOR UPDATE TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY administrator_removes ON mail_text
    FOR DELETE TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY jobs ON mail_text
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY scope ON mail_text
    FOR SELECT TO esupport_app
    USING ((checkout_page_id = ANY (( SELECT viewer_page_ids() AS viewer_page_ids)::integer[])));
