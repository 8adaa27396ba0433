CREATE POLICY administrator ON account_page
    FOR SELECT TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY administrator_adds ON account_page
    FOR INSERT TO esupport_app
    WITH CHECK ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY administrator_removes ON account_page
    FOR DELETE TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY jobs ON account_page
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY own ON account_page
    FOR SELECT TO esupport_app
    USING (((account_id = ( SELECT viewer_id() AS viewer_id)) AND (( SELECT viewer_role() AS viewer_role) IS NOT NULL)));
