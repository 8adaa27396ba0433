CREATE OR REPLACE FUNCTION public.failures_for(of_account integer, device bytea)
 RETURNS integer
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    SELECT coalesce(CASE WHEN device IS NULL
        THEN (SELECT CASE WHEN locked_until IS NULL THEN failed_sign_ins ELSE 0 END FROM account WHERE id = of_account)
        ELSE (SELECT CASE WHEN locked_until IS NULL THEN failed_sign_ins ELSE 0 END FROM known_device
            WHERE account_id = of_account AND device_digest = device) END, 0)
$function$;
