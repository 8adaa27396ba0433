CREATE OR REPLACE FUNCTION public.keep_refund_erased()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    NEW.reason := left(text_without_erased(NEW.order_id, NEW.reason), 20000);
    NEW.note := left(text_without_erased(NEW.order_id, NEW.note), 20000);
    RETURN NEW;
END $function$;
