CREATE OR REPLACE FUNCTION public.keep_event_erased()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    NEW.reason := left(text_without_erased(NEW.order_id, NEW.reason), 2000);
    RETURN NEW;
END $function$;
