CREATE OR REPLACE FUNCTION public.end_own_session(session_id bigint, from_address text)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    UPDATE account_session SET ended_at = now(), ended_because = 'ended'
    WHERE id = session_id AND account_id = viewer_id() AND ended_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO audit_log (account_id, account_email, action, address, details)
    SELECT id, email, 'end session', left(from_address, 100), jsonb_build_object('session', session_id)
    FROM account WHERE id = viewer_id();
    RETURN true;
END $function$;
