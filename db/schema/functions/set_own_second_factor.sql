CREATE OR REPLACE FUNCTION public.set_own_second_factor(secret text, step bigint, digests bytea[], known_version integer, attempt uuid, from_address text)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    owner account%ROWTYPE;
    this_session constant bigint := viewer_session();
BEGIN
    SELECT * INTO owner FROM account WHERE id = viewer_id() AND disabled_at IS NULL FOR NO KEY UPDATE;
    IF owner.id IS NULL OR NOT EXISTS (SELECT FROM account_session WHERE id = this_session AND ended_at IS NULL) THEN
        RAISE EXCEPTION 'no viewer' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF owner.credentials_version <> known_version THEN
        RETURN 'changed';
    END IF;
    IF NOT EXISTS (SELECT FROM account_session WHERE id = this_session AND single_sign_on AND secret IS NOT NULL
            AND created_at > now() - interval '10 minutes') AND NOT use_own_proof(attempt) THEN
        RETURN 'unproven';
    END IF;
    UPDATE account SET totp_secret = secret, totp_last_step = step WHERE id = owner.id;
    DELETE FROM recovery_code WHERE account_id = owner.id;
    INSERT INTO recovery_code (account_id, digest) SELECT owner.id, unnest(digests);
    INSERT INTO audit_log (account_id, account_email, action, address)
    VALUES (owner.id, owner.email, CASE WHEN secret IS NULL THEN 'second factor off' ELSE 'second factor on' END,
        left(from_address, 100));
    RETURN 'done';
END $function$;
