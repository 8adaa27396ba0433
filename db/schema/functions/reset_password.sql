CREATE OR REPLACE FUNCTION public.reset_password(digest bytea, new_hash text, from_address text)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    owner account%ROWTYPE;
BEGIN
    SELECT a.* INTO owner FROM account a
    WHERE a.id = (SELECT r.account_id FROM password_reset r WHERE r.token_digest = digest) FOR NO KEY UPDATE;
    -- The account's row is ours now: what it says is what the link is measured by.
    IF owner.id IS NULL OR password_reset_email(digest) IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE password_reset SET used_at = now() WHERE account_id = owner.id AND used_at IS NULL;
    UPDATE account SET password_hash = new_hash, must_change_password = false, one_time_until = NULL,
        failed_sign_ins = 0, locked_until = NULL WHERE id = owner.id;
    UPDATE known_device SET failed_sign_ins = 0, locked_until = NULL WHERE account_id = owner.id;
    UPDATE account_session SET ended_at = now(), ended_because = 'password changed'
    WHERE account_id = owner.id AND ended_at IS NULL;
    INSERT INTO audit_log (account_id, account_email, action, address)
    VALUES (owner.id, owner.email, 'reset password', left(from_address, 100));
    RETURN owner.id;
END $function$;
