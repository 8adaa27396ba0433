CREATE OR REPLACE FUNCTION public.standing_attempt(attempt uuid)
 RETURNS sign_in_attempt
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    owner account%ROWTYPE;
    tried sign_in_attempt%ROWTYPE;
BEGIN
    SELECT * INTO owner FROM account WHERE id = (SELECT account_id FROM sign_in_attempt WHERE id = attempt)
    FOR NO KEY UPDATE;
    SELECT * INTO tried FROM sign_in_attempt WHERE id = attempt AND state = 'right'
        AND begun_at > now() - interval '10 minutes' AND account_id = owner.id
        AND credentials_version = owner.credentials_version AND owner.disabled_at IS NULL
    FOR UPDATE;
    RETURN tried;
END $function$;
