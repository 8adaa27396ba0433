CREATE POLICY added ON order_view
    FOR INSERT TO esupport_app
    WITH CHECK (((account_id = ( SELECT viewer_id() AS viewer_id)) AND (( SELECT viewer_role() AS viewer_role) IS NOT NULL) AND ((team_id IS NULL) OR (( SELECT viewer_role() AS viewer_role) = 'administrator'::text) OR (EXISTS ( SELECT
   FROM team_member m
  WHERE ((m.team_id = order_view.team_id) AND (m.account_id = ( SELECT viewer_id() AS viewer_id))))))));

CREATE POLICY changed ON order_view
    FOR UPDATE TO esupport_app
    USING ((((account_id = ( SELECT viewer_id() AS viewer_id)) AND (( SELECT viewer_role() AS viewer_role) IS NOT NULL)) OR ((team_id IS NOT NULL) AND (( SELECT viewer_role() AS viewer_role) = 'administrator'::text))))
    WITH CHECK ((((account_id = ( SELECT viewer_id() AS viewer_id)) AND (( SELECT viewer_role() AS viewer_role) IS NOT NULL)) OR (( SELECT viewer_role() AS viewer_role) = 'administrator'::text)));

CREATE POLICY jobs ON order_view
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY removed ON order_view
    FOR DELETE TO esupport_app
    USING ((((account_id = ( SELECT viewer_id() AS viewer_id)) AND (( SELECT viewer_role() AS viewer_role) IS NOT NULL)) OR ((team_id IS NOT NULL) AND (( SELECT viewer_role() AS viewer_role) = 'administrator'::text))));

CREATE POLICY seen ON order_view
    FOR SELECT TO esupport_app
    USING ((((account_id = ( SELECT viewer_id() AS viewer_id)) AND (( SELECT viewer_role() AS viewer_role) IS NOT NULL)) OR ((team_id IS NOT NULL) AND (( SELECT viewer_role() AS viewer_role) = 'administrator'::text)) OR ((( SELECT viewer_role() AS viewer_role) IS NOT NULL) AND (EXISTS ( SELECT
   FROM team_member m
  WHERE ((m.team_id = order_view.team_id) AND (m.account_id = ( SELECT viewer_id() AS viewer_id))))))));
