CREATE OR REPLACE FUNCTION public.refresh_after_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    PERFORM refresh_order_summary(array(SELECT DISTINCT order_id FROM changed));
    RETURN NULL;
END $function$;
