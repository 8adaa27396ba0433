CREATE OR REPLACE FUNCTION public.ended_account_session(token text, idle interval)
 RETURNS TABLE(account_id integer, reason text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    SELECT found.account_id, found.reason FROM (
        SELECT s.account_id, CASE
                WHEN a.disabled_at IS NOT NULL THEN 'disabled'
                WHEN s.ended_at IS NOT NULL THEN coalesce(s.ended_because, 'ended')
                -- By its name, so that a session is told of whether or not its last use is written down.
                WHEN (to_jsonb(s) ->> 'last_seen_at')::timestamptz + idle <= now() THEN 'idle'
                WHEN s.expires_at <= now() THEN 'expired'
            END AS reason
        FROM account_session s JOIN account a ON a.id = s.account_id
        WHERE s.token_digest = sha256(convert_to(token, 'UTF8'))
    ) found
    WHERE found.reason IS NOT NULL
$function$;
