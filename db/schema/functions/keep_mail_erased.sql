CREATE OR REPLACE FUNCTION public.keep_mail_erased()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    IF EXISTS (SELECT FROM orders WHERE order_id = NEW.order_id AND customer_erased) THEN
        NEW.to_address := NULL;
        NEW.to_name := NULL;
        NEW.text_body := 'deleted';
        NEW.html_body := NULL;
        NEW.last_error := regexp_replace(NEW.last_error, '\S+@\S+', 'deleted', 'g');
    END IF;
    RETURN NEW;
END $function$;
