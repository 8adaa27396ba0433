CREATE OR REPLACE FUNCTION public.network_device(network text)
 RETURNS bytea
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$ SELECT sha256(convert_to('network ' || network, 'UTF8')) WHERE network <> 'local' $function$;
