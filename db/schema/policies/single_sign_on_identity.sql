CREATE POLICY administrator ON single_sign_on_identity
    FOR SELECT TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY administrator_unbinds ON single_sign_on_identity
    FOR DELETE TO esupport_app
    USING ((( SELECT viewer_role() AS viewer_role) = 'administrator'::text));

CREATE POLICY jobs ON single_sign_on_identity
    FOR ALL TO esupport_jobs
    USING (true)
    WITH CHECK (true);
