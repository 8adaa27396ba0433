CREATE OR REPLACE FUNCTION public.check_may_erase()
 RETURNS void
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    IF viewer_role() IS DISTINCT FROM 'administrator' AND current_setting('role') <> 'esupport_jobs' THEN
        RAISE EXCEPTION 'not an administrator' USING ERRCODE = 'insufficient_privilege';
    END IF;
END $function$;
