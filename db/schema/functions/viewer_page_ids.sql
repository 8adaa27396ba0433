CREATE OR REPLACE FUNCTION public.viewer_page_ids()
 RETURNS integer[]
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    RETURN account_page_ids(viewer_id());
END $function$;
