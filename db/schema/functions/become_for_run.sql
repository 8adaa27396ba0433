CREATE OR REPLACE FUNCTION public.become_for_run(run bigint)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    owner record;
    words text;
BEGIN
    SELECT a.id, a.role INTO owner
    FROM bulk_run r JOIN account a ON a.id = r.account_id
    WHERE r.id = run AND r.state = 'running' AND a.disabled_at IS NULL;
    IF NOT FOUND THEN
        PERFORM set_config('esupport.viewer', '', true);
        RETURN NULL;
    END IF;
    words := owner.id || ' 0 stands';  -- no session has the number 0
    PERFORM set_config('esupport.viewer', words || ' ' || viewer_mark(words), true);
    RETURN owner.role;
END $function$;
