CREATE OR REPLACE FUNCTION public.keep_subscription_erased()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    NEW.change_reason := text_without_erased(NEW.order_id, NEW.change_reason);
    RETURN NEW;
END $function$;
