CREATE OR REPLACE FUNCTION public.erase_views(ids integer[])
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    removed integer;
BEGIN
    PERFORM check_may_erase();
    DELETE FROM order_view v WHERE v.id = ANY (ids);
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END $function$;
