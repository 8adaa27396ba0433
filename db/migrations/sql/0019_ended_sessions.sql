-- Why a session ended, for whoever still holds its token: 256 random bits, which nobody guesses.

-- No row while the session stands, and none for a token that never was. The account is named so that what was being
-- typed is given back to the same person only.
CREATE FUNCTION ended_account_session(digest bytea) RETURNS TABLE (account_id integer, reason text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT s.account_id, CASE
            WHEN a.disabled_at IS NOT NULL THEN 'disabled'
            WHEN s.ended_at IS NOT NULL THEN coalesce(s.ended_because, 'ended')
            ELSE 'expired'
        END
    FROM account_session s JOIN account a ON a.id = s.account_id
    WHERE s.token_digest = digest AND NOT EXISTS (SELECT FROM account_of_session(digest))
$$;

REVOKE ALL ON FUNCTION ended_account_session(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ended_account_session(bytea) TO esupport_app;
