CREATE POLICY administrator ON team_member
    FOR SELECT TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY administrator_adds ON team_member
    FOR INSERT TO esupport_app
    WITH CHECK ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY administrator_removes ON team_member
    FOR DELETE TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY jobs ON team_member
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY own ON team_member
    FOR SELECT TO esupport_app
    USING (((account_id = ( SELECT viewer_id() AS viewer_id)) AND (( SELECT viewer_role() AS viewer_role) IS NOT NULL)));
