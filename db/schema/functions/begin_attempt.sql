CREATE OR REPLACE FUNCTION public.begin_attempt(login text, from_network text, device bytea)
 RETURNS TABLE(attempt uuid, answer text, salt text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    pause constant interval := pause_of(from_network);
    owner account%ROWTYPE;
    known bytea;
    left_over record;
BEGIN
    SELECT * INTO owner FROM account WHERE email_key = login_key(login) FOR NO KEY UPDATE;
    known := known_as(owner.id, device, from_network);
    IF (known IS NULL OR known IS DISTINCT FROM device) AND pause > interval '0' THEN
        INSERT INTO audit_log (account_id, account_email, action, address, succeeded, details)
        VALUES (owner.id, owner.email, 'sign in', nullif(from_network, 'local'), false,
            '{"reason": "too many from this network"}');
        answer := 'slow';
        RETURN NEXT;
        RETURN;
    END IF;
    FOR left_over IN
        UPDATE sign_in_attempt a SET state = 'wrong'
        WHERE a.account_id = owner.id AND a.state = 'begun' AND a.begun_at < clock_timestamp() - interval '1 minute'
        RETURNING a.device_digest
    LOOP
        PERFORM count_failure(owner.id, left_over.device_digest);
    END LOOP;
    IF NOT is_locked_for(owner.id, known) AND failures_for(owner.id, known) + (
            SELECT count(*) FROM sign_in_attempt a WHERE a.account_id = owner.id AND a.state = 'begun'
                AND a.device_digest IS NOT DISTINCT FROM known) >= 5 THEN
        answer := 'wait';
        RETURN NEXT;
        RETURN;
    END IF;
    INSERT INTO sign_in_attempt (kind, account_id, credentials_version, network, device_digest)
    VALUES ('password', owner.id, owner.credentials_version, from_network, known)
    RETURNING id INTO attempt;
    answer := 'go';
    salt := substring(owner.password_hash FROM '^(\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{22})[./A-Za-z0-9]{31}$');
    RETURN NEXT;
END $function$;
