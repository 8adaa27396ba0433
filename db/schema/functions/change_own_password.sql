CREATE OR REPLACE FUNCTION public.change_own_password(new_hash text, with_old_salt text, attempt uuid, from_address text)
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
    IF NOT (owner.must_change_password AND EXISTS (SELECT FROM account_session
            WHERE id = this_session AND NOT single_sign_on)) AND NOT use_own_proof(attempt) THEN
        RETURN 'unproven';
    END IF;
    IF owner.password_hash = with_old_salt THEN
        RETURN 'same';
    END IF;
    UPDATE account SET password_hash = new_hash, must_change_password = false, one_time_until = NULL
    WHERE id = owner.id;
    UPDATE account_session SET ended_at = now(), ended_because = 'password changed'
    WHERE account_id = owner.id AND ended_at IS NULL AND id <> this_session;
    INSERT INTO audit_log (account_id, account_email, action, address)
    VALUES (owner.id, owner.email, 'change password', left(from_address, 100));
    RETURN 'done';
END $function$;
