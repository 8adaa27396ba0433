CREATE OR REPLACE FUNCTION public.set_email_key()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    NEW.email_key := public.email_key(NEW.email);
    RETURN NEW;
END $function$;
