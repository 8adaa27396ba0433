CREATE OR REPLACE FUNCTION public.open_saved_search(wanted text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    found jsonb;
BEGIN
    IF viewer_role() IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE saved_search SET last_opened_at = now() WHERE key = wanted RETURNING filters INTO found;
    RETURN found;
END $function$;
