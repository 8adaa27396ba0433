CREATE OR REPLACE FUNCTION public.second_factor_of(attempt uuid)
 RETURNS TABLE(account_id integer, secret text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    tried constant sign_in_attempt := standing_attempt(attempt);
BEGIN
    RETURN QUERY SELECT a.id, a.totp_secret FROM account a
        WHERE a.id = tried.account_id AND a.totp_secret IS NOT NULL AND NOT is_locked_for(a.id, tried.device_digest);
END $function$;
