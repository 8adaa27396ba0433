CREATE OR REPLACE FUNCTION public.raise_credentials_version()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    UPDATE account SET credentials_version = credentials_version + 1 WHERE id = NEW.id;
    RETURN NULL;
END $function$;
