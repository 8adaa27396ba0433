CREATE OR REPLACE FUNCTION public.finish_attempt(attempt uuid, computed text, from_address text)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    owner account%ROWTYPE;
    tried sign_in_attempt%ROWTYPE;
    is_locked boolean;
BEGIN
    SELECT * INTO owner FROM account WHERE id = (SELECT account_id FROM sign_in_attempt WHERE id = attempt)
    FOR NO KEY UPDATE;
    SELECT * INTO tried FROM sign_in_attempt WHERE id = attempt AND kind = 'password' AND state = 'begun' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    is_locked := is_locked_for(owner.id, tried.device_digest);
    IF owner.password_hash = computed AND length(computed) = 60 AND owner.disabled_at IS NULL AND NOT is_locked
            AND coalesce(owner.one_time_until > now(), true)
            AND owner.credentials_version = tried.credentials_version THEN
        UPDATE sign_in_attempt SET state = 'right' WHERE id = attempt;
        RETURN owner.id;
    END IF;
    UPDATE sign_in_attempt SET state = 'wrong' WHERE id = attempt;
    IF NOT is_locked THEN
        PERFORM count_failure(owner.id, tried.device_digest);
    END IF;
    -- An unknown login is often a password typed into the wrong field: it is not kept.
    INSERT INTO audit_log (account_id, account_email, action, address, succeeded, details)
    VALUES (owner.id, owner.email, 'sign in', left(from_address, 100), false,
        jsonb_build_object('reason', CASE WHEN owner.id IS NULL THEN 'unknown login'
            WHEN is_locked_for(owner.id, tried.device_digest) THEN 'locked' ELSE 'refused' END));
    RETURN NULL;
END $function$;
