CREATE OR REPLACE FUNCTION public.is_locked_for(of_account integer, device bytea)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    SELECT coalesce(CASE WHEN device IS NULL THEN (SELECT locked_until > now() FROM account WHERE id = of_account)
        ELSE (SELECT locked_until > now() FROM known_device WHERE account_id = of_account AND device_digest = device)
        END, false)
$function$;
