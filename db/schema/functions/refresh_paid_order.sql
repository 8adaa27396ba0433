CREATE OR REPLACE FUNCTION public.refresh_paid_order()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    PERFORM refresh_order_summary(ARRAY[NEW.order_id]);
    RETURN NULL;
END $function$;
