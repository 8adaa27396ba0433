-- Why a session ended, for whoever still holds its token: 256 random bits, which nobody guesses.

-- No row while the session stands, and none for a token that never was. The account is named so that what was being
-- typed is given back to the same person only. `idle` is how long an unused session stands; NULL: as long as its life.
CREATE FUNCTION ended_account_session(token text, idle interval) RETURNS TABLE (account_id integer, reason text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
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
$$;

REVOKE ALL ON FUNCTION ended_account_session(text, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ended_account_session(text, interval) TO esupport_app;
