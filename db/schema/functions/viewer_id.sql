CREATE OR REPLACE FUNCTION public.viewer_id()
 RETURNS integer
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    proven text := proven_viewer();
BEGIN
    RETURN CASE WHEN split_part(proven, ' ', 3) = 'stands' THEN split_part(proven, ' ', 1)::integer END;
END $function$;
