CREATE OR REPLACE FUNCTION public.wake_worker()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    PERFORM pg_notify('esupport_work', TG_TABLE_NAME);
    RETURN NULL;
END $function$;
