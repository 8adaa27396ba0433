CREATE OR REPLACE FUNCTION public.is_single_sign_on_session()
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$ SELECT EXISTS (SELECT FROM account_session WHERE id = viewer_session() AND single_sign_on) $function$;
