CREATE OR REPLACE FUNCTION public.own_password_salt()
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    SELECT substring(password_hash FROM '^(\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{22})[./A-Za-z0-9]{31}$')
    FROM account WHERE id = viewer_id()
$function$;
