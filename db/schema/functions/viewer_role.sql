CREATE OR REPLACE FUNCTION public.viewer_role()
 RETURNS text
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    viewer constant integer := viewer_id();
BEGIN
    RETURN (SELECT a.role FROM account a WHERE a.id = viewer AND a.disabled_at IS NULL);
END $function$;
