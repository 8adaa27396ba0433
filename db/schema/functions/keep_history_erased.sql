CREATE OR REPLACE FUNCTION public.keep_history_erased()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    -- What the mail worker tells of a message that was under way meanwhile.
    IF NEW.kind IN ('email', 'error') AND EXISTS (SELECT FROM orders WHERE order_id = NEW.order_id AND customer_erased) THEN
        NEW.text := regexp_replace(NEW.text, '\S+@\S+', 'deleted', 'g');
    END IF;
    NEW.text := left(text_without_erased(NEW.order_id, NEW.text), 20000);
    RETURN NEW;
END $function$;
