CREATE OR REPLACE FUNCTION public.check_view_team()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    IF current_user = 'esupport_app' AND viewer_role() IS DISTINCT FROM 'administrator'
        AND NOT EXISTS (SELECT FROM team_member m WHERE m.team_id = NEW.team_id AND m.account_id = viewer_id())
    THEN
        RAISE EXCEPTION 'A view is shared with a team of its author.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $function$;
