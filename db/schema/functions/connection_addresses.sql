CREATE OR REPLACE FUNCTION public.connection_addresses()
 RETURNS TABLE(connection_id integer, key text, out_url text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    SELECT c.id, c.key, c.out_url FROM connection c WHERE (SELECT viewer_role()) = 'administrator'
$function$;
