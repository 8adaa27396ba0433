CREATE OR REPLACE FUNCTION public.set_reason_key()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    NEW.reason_key := public.filter_key(NEW.reason);
    RETURN NEW;
END $function$;
