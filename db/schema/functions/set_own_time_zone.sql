CREATE OR REPLACE FUNCTION public.set_own_time_zone(zone text)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$ UPDATE account SET time_zone = zone WHERE id = viewer_id() AND disabled_at IS NULL $function$;
