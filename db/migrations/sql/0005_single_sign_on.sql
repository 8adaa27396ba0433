-- Single sign-on: what a provider says of somebody opens one session here, once.

CREATE TABLE single_sign_on_use (
    digest bytea PRIMARY KEY CHECK (length(digest) = 32),
    used_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE single_sign_on_use ENABLE ROW LEVEL SECURITY;
CREATE POLICY jobs ON single_sign_on_use TO esupport_jobs USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON single_sign_on_use TO esupport_jobs;

ALTER TABLE account_session
    ADD COLUMN single_sign_on boolean NOT NULL DEFAULT false,
    ADD COLUMN provider_factor boolean NOT NULL DEFAULT false;  -- the provider asked for a second factor itself

-- False when this answer of the provider was judged before.
CREATE FUNCTION use_single_sign_on(answer bytea) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO single_sign_on_use (digest) VALUES (answer) ON CONFLICT DO NOTHING;
    RETURN FOUND;
END $$;

-- Nothing is counted against the account: nobody guesses at a provider's answer.
CREATE FUNCTION record_refused_single_sign_on(login text, why text, from_address text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    found_id integer;
    found_email text;
BEGIN
    SELECT id, email INTO found_id, found_email FROM account WHERE email_key = fold(login);
    INSERT INTO audit_log (account_id, account_email, action, address, succeeded, details)
    VALUES (found_id, found_email, 'sign in', left(from_address, 100), false,
        jsonb_build_object('reason', left(why, 100), 'by', 'single sign-on'));
END $$;

DROP FUNCTION open_account_session(integer, bytea, interval, text, text);
CREATE FUNCTION open_account_session(for_account integer, digest bytea, valid_for interval, from_address text,
        with_browser text, by_provider boolean, with_factor boolean)
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    found_email text;
BEGIN
    UPDATE account SET failed_sign_ins = 0, locked_until = NULL
    WHERE id = for_account AND disabled_at IS NULL AND coalesce(locked_until <= now(), true)
        AND (by_provider OR coalesce(one_time_until > now(), true))
    RETURNING email INTO found_email;
    IF found_email IS NULL THEN
        RETURN false;
    END IF;
    INSERT INTO account_session (token_digest, account_id, expires_at, address, browser, single_sign_on,
        provider_factor)
    VALUES (digest, for_account, now() + valid_for, left(from_address, 100), left(with_browser, 400), by_provider,
        with_factor);
    INSERT INTO audit_log (account_id, account_email, action, address, details)
    VALUES (for_account, found_email, 'sign in', left(from_address, 100),
        jsonb_strip_nulls(jsonb_build_object('browser', left(with_browser, 400),
            'by', CASE WHEN by_provider THEN 'single sign-on' END)));
    RETURN true;
END $$;

DROP FUNCTION account_of_session(bytea);
CREATE FUNCTION account_of_session(digest bytea)
    RETURNS TABLE (id integer, single_sign_on boolean, provider_factor boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT a.id, s.single_sign_on, s.provider_factor
    FROM account_session s JOIN account a ON a.id = s.account_id
    WHERE s.token_digest = digest AND s.ended_at IS NULL AND s.expires_at > now() AND a.disabled_at IS NULL
$$;

REVOKE ALL ON FUNCTION use_single_sign_on(bytea), record_refused_single_sign_on(text, text, text),
    open_account_session(integer, bytea, interval, text, text, boolean, boolean), account_of_session(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION use_single_sign_on(bytea), record_refused_single_sign_on(text, text, text),
    open_account_session(integer, bytea, interval, text, text, boolean, boolean), account_of_session(bytea)
    TO esupport_app;
