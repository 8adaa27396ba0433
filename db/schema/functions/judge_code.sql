CREATE OR REPLACE FUNCTION public.judge_code(attempt uuid, step bigint, code_digest bytea, from_address text)
 RETURNS TABLE(outcome text, codes_left integer)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    tried constant sign_in_attempt := standing_attempt(attempt);
    owner account%ROWTYPE;
BEGIN
    SELECT * INTO owner FROM account WHERE id = tried.account_id;
    outcome := 'wrong';
    IF owner.totp_secret IS NULL OR is_locked_for(owner.id, tried.device_digest) THEN
        outcome := 'worthless';
    ELSIF step IS NOT NULL THEN
        UPDATE account SET totp_last_step = step WHERE id = owner.id AND coalesce(totp_last_step < step, true);
        outcome := CASE WHEN FOUND THEN 'used' ELSE 'repeated' END;
        IF outcome = 'repeated' THEN
            INSERT INTO audit_log (account_id, account_email, action, address, succeeded)
            VALUES (owner.id, owner.email, 'repeat code', left(from_address, 100), false);
        END IF;
    ELSE
        DELETE FROM recovery_code c WHERE c.account_id = owner.id AND c.digest = code_digest;
        IF FOUND THEN
            outcome := 'recovery';
            INSERT INTO audit_log (account_id, account_email, action, address)
            VALUES (owner.id, owner.email, 'use recovery code', left(from_address, 100));
            codes_left := (SELECT count(*) FROM recovery_code c WHERE c.account_id = owner.id);
        END IF;
    END IF;
    IF outcome IN ('used', 'recovery') THEN
        UPDATE sign_in_attempt SET has_factor = true WHERE id = attempt;
    ELSE
        IF outcome <> 'worthless' THEN
            PERFORM count_failure(owner.id, tried.device_digest);
            INSERT INTO sign_in_attempt (kind, account_id, network, state)
            VALUES ('code', owner.id, tried.network, 'wrong');
        END IF;
        INSERT INTO audit_log (account_id, account_email, action, address, succeeded, details)
        SELECT a.id, a.email, 'sign in', left(from_address, 100), false, jsonb_build_object('reason',
            CASE WHEN is_locked_for(a.id, tried.device_digest) THEN 'locked'
                WHEN outcome = 'worthless' THEN 'changed meanwhile' ELSE 'wrong code' END)
        FROM account a WHERE a.id = (SELECT s.account_id FROM sign_in_attempt s WHERE s.id = attempt);
    END IF;
    RETURN NEXT;
END $function$;
