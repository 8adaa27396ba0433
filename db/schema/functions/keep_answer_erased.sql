CREATE OR REPLACE FUNCTION public.keep_answer_erased()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    NEW.message := left(text_without_erased(NEW.order_id, NEW.message), 1000);
    RETURN NEW;
END $function$;
