CREATE OR REPLACE FUNCTION public.credentials_owner(of_account integer)
 RETURNS TABLE(email text, name text, time_zone text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$ SELECT email, name, time_zone FROM account WHERE id = of_account AND has_changed_credentials(of_account) $function$;
