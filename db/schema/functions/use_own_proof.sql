CREATE OR REPLACE FUNCTION public.use_own_proof(attempt uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    tried constant sign_in_attempt := standing_attempt(attempt);
BEGIN
    IF tried.account_id IS NULL OR tried.account_id IS DISTINCT FROM viewer_id()
            OR NOT (tried.kind = 'password' OR tried.kind = 'own' AND tried.has_factor) THEN
        RETURN false;
    END IF;
    UPDATE sign_in_attempt SET state = 'spent' WHERE id = attempt;
    RETURN true;
END $function$;
