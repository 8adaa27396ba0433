CREATE OR REPLACE FUNCTION public.known_viewer_id()
 RETURNS integer
 LANGUAGE sql
 STABLE PARALLEL SAFE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$ SELECT split_part(proven_viewer(), ' ', 1)::integer $function$;
