CREATE POLICY added ON delivery
    FOR INSERT TO esupport_app
    WITH CHECK (( SELECT viewer_may_act() AS viewer_may_act));

CREATE POLICY administrator ON delivery
    FOR SELECT TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY changed ON delivery
    FOR UPDATE TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY jobs ON delivery
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);

CREATE POLICY scope ON delivery
    FOR SELECT TO esupport_app
    USING ((EXISTS ( SELECT
   FROM outbox_event e
  WHERE (e.id = delivery.event_id))));
