CREATE OR REPLACE FUNCTION public.has_demo_accounts()
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$ SELECT EXISTS (SELECT FROM account WHERE email_key LIKE '%@demo.example' AND disabled_at IS NULL) $function$;
