CREATE OR REPLACE FUNCTION public.erase_saved_searches(keys text[])
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    removed integer;
BEGIN
    PERFORM check_may_erase();
    DELETE FROM saved_search s WHERE s.key = ANY (keys);
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END $function$;
