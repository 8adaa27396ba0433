CREATE OR REPLACE FUNCTION public.count_failure(of_account integer, device bytea)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    UPDATE account SET
        failed_sign_ins = CASE WHEN locked_until IS NULL THEN failed_sign_ins ELSE 0 END + 1,
        locked_until = CASE WHEN CASE WHEN locked_until IS NULL THEN failed_sign_ins ELSE 0 END + 1 >= 5
            THEN now() + interval '15 minutes' END
    WHERE id = of_account AND coalesce(locked_until <= now(), true);
    UPDATE known_device SET
        failed_sign_ins = CASE WHEN locked_until IS NULL THEN failed_sign_ins ELSE 0 END + 1,
        locked_until = CASE WHEN CASE WHEN locked_until IS NULL THEN failed_sign_ins ELSE 0 END + 1 >= 5
            THEN now() + interval '15 minutes' END
    WHERE account_id = of_account AND device_digest = device AND coalesce(locked_until <= now(), true);
END $function$;
