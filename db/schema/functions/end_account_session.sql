CREATE OR REPLACE FUNCTION public.end_account_session(token text, from_address text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    WITH ended AS (
        UPDATE account_session SET ended_at = now(), ended_because = 'signed out'
        WHERE token_digest = sha256(convert_to(token, 'UTF8')) AND ended_at IS NULL
        RETURNING account_id
    )
    INSERT INTO audit_log (account_id, account_email, action, address)
    SELECT a.id, a.email, 'sign out', left(from_address, 100) FROM ended JOIN account a ON a.id = ended.account_id;
END $function$;
