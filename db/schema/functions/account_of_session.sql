CREATE OR REPLACE FUNCTION public.account_of_session(token text, idle interval)
 RETURNS TABLE(id integer, single_sign_on boolean, provider_factor boolean)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    digest constant bytea := sha256(convert_to(token, 'UTF8'));
BEGIN
    IF become(token, idle) IS NULL THEN
        RETURN;
    END IF;
    UPDATE account_session s SET last_seen_at = now()
    WHERE s.token_digest = digest AND s.last_seen_at < now() - interval '1 minute';
    RETURN QUERY SELECT s.account_id, s.single_sign_on, s.provider_factor
        FROM account_session s WHERE s.token_digest = digest;
END $function$;
