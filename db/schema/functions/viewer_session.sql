CREATE OR REPLACE FUNCTION public.viewer_session()
 RETURNS bigint
 LANGUAGE sql
 STABLE PARALLEL SAFE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$ SELECT split_part(proven_viewer(), ' ', 2)::bigint WHERE viewer_id() IS NOT NULL $function$;
