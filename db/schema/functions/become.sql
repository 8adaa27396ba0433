CREATE OR REPLACE FUNCTION public.become(token text, idle interval)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    owner record;
    words text;
BEGIN
    SELECT s.id, s.account_id, s.ended_at IS NULL AND s.expires_at > now() AND a.disabled_at IS NULL
        AND s.last_seen_at > now() - least(idle, interval '12 hours') AS stands
    INTO owner
    FROM account_session s JOIN account a ON a.id = s.account_id
    WHERE s.token_digest = sha256(convert_to(token, 'UTF8'));
    IF NOT FOUND THEN
        PERFORM set_config('esupport.viewer', '', true);
        RETURN NULL;
    END IF;
    words := owner.account_id || ' ' || owner.id || CASE WHEN owner.stands THEN ' stands' ELSE ' ended' END;
    PERFORM set_config('esupport.viewer', words || ' ' || viewer_mark(words), true);
    RETURN CASE WHEN owner.stands THEN owner.account_id END;
END $function$;
