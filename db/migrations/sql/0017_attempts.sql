-- Attempts to sign in. A password is judged here: the application gets the salt and sends what bcrypt makes of it, so
-- that no hash leaves the database and no session opens without the right one.

CREATE TABLE sign_in_attempt (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind text NOT NULL CHECK (kind IN ('password', 'code', 'provider', 'own', 'link')),
    account_id integer REFERENCES account ON DELETE CASCADE,  -- null: nobody has that login
    credentials_version integer,                              -- as it was when the attempt began
    network text NOT NULL CHECK (length(network) <= 100),
    device_digest bytea CHECK (length(device_digest) = 32),   -- of a browser that has signed in to the account before
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    state text NOT NULL DEFAULT 'begun' CHECK (state IN ('begun', 'right', 'wrong', 'spent')),
    has_factor boolean NOT NULL DEFAULT false,                -- the second factor was right as well
    provider_factor boolean NOT NULL DEFAULT false            -- the provider of a single sign-on has asked for one
);
CREATE INDEX sign_in_attempt_network ON sign_in_attempt (network, begun_at) WHERE state IN ('begun', 'wrong');
CREATE INDEX sign_in_attempt_link ON sign_in_attempt (network, begun_at) WHERE kind = 'link';
CREATE INDEX sign_in_attempt_begun ON sign_in_attempt (account_id) WHERE state = 'begun';
CREATE INDEX sign_in_attempt_at ON sign_in_attempt (begun_at);

-- Browsers that have signed in to an account, and the networks that they did so from. Strangers' guesses do not lock
-- them out: they have a count of their own.
CREATE TABLE known_device (
    account_id integer NOT NULL REFERENCES account ON DELETE CASCADE,
    device_digest bytea NOT NULL CHECK (length(device_digest) = 32),
    first_used_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now(),
    failed_sign_ins integer NOT NULL DEFAULT 0 CHECK (failed_sign_ins >= 0),
    locked_until timestamptz,
    PRIMARY KEY (account_id, device_digest)
);

-- Who at a provider an account is; the first use binds, an administrator unbinds.
CREATE TABLE single_sign_on_identity (
    account_id integer PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    issuer text NOT NULL CHECK (length(issuer) BETWEEN 1 AND 500),
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    bound_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (issuer, subject)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['sign_in_attempt', 'known_device', 'single_sign_on_identity'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY jobs ON %I TO esupport_jobs USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO esupport_jobs', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['known_device', 'single_sign_on_identity'] LOOP
        EXECUTE format('CREATE POLICY administrator ON %I FOR SELECT TO esupport_app '
            'USING ((SELECT viewer_role()) = ''administrator'')', name);
    END LOOP;
END $$;
CREATE POLICY administrator_unbinds ON single_sign_on_identity FOR DELETE TO esupport_app
    USING ((SELECT viewer_role()) = 'administrator');
CREATE POLICY administrator_unlocks ON known_device FOR UPDATE TO esupport_app
    USING ((SELECT viewer_role()) = 'administrator');
GRANT SELECT (account_id, issuer, bound_at), DELETE ON single_sign_on_identity TO esupport_app;
GRANT SELECT (account_id, locked_until), UPDATE (failed_sign_ins, locked_until) ON known_device TO esupport_app;

-- An unbound identity's pending sign-ins are worthless, and what it has opened ends.
CREATE FUNCTION end_unbound_sessions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    UPDATE account SET credentials_version = credentials_version + 1 WHERE id = OLD.account_id;
    UPDATE account_session SET ended_at = now(), ended_because = 'ended'
    WHERE account_id = OLD.account_id AND single_sign_on AND ended_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER identity_unbound AFTER DELETE ON single_sign_on_identity
    FOR EACH ROW EXECUTE FUNCTION end_unbound_sessions();

-- What a network is called among the devices. Whoever comes by a proxy that does not say from where has none.
CREATE FUNCTION network_device(network text) RETURNS bytea
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT sha256(convert_to('network ' || network, 'UTF8')) WHERE network <> 'local' $$;

-- Which count an attempt at the account belongs to: that of its browser, else that of its network, where the account has
-- signed in from there before; NULL for the account's own.
CREATE FUNCTION known_as(of_account integer, device bytea, from_network text) RETURNS bytea
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT d.device_digest FROM known_device d
    WHERE d.account_id = of_account AND d.device_digest IN (device, network_device(from_network))
    ORDER BY d.device_digest = device DESC NULLS LAST LIMIT 1
$$;

-- How long a network has to wait until its next attempt is judged: fifteen failures in a quarter of an hour are free, then
-- each costs five seconds more than the one before, a minute at most. One attempt of a network is looked at at a time.
CREATE FUNCTION pause_of(from_network text) RETURNS interval
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    failures bigint;
    latest timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('esupport sign-in ' || from_network, 0));
    SELECT count(*), max(begun_at) INTO failures, latest FROM sign_in_attempt
    WHERE network = from_network AND state IN ('begun', 'wrong') AND begun_at > now() - interval '15 minutes';
    IF failures < 15 THEN
        RETURN interval '0';
    END IF;
    RETURN greatest(interval '0', latest + least(failures - 14, 12) * interval '5 seconds' - clock_timestamp());
END $$;

-- Whether the count that an attempt belongs to, its device's or the account's, is locked now.
CREATE FUNCTION is_locked_for(of_account integer, device bytea) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT coalesce(CASE WHEN device IS NULL THEN (SELECT locked_until > now() FROM account WHERE id = of_account)
        ELSE (SELECT locked_until > now() FROM known_device WHERE account_id = of_account AND device_digest = device)
        END, false)
$$;

-- Failures in a row, as far as they count for the next attempt.
CREATE FUNCTION failures_for(of_account integer, device bytea) RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT coalesce(CASE WHEN device IS NULL
        THEN (SELECT CASE WHEN locked_until IS NULL THEN failed_sign_ins ELSE 0 END FROM account WHERE id = of_account)
        ELSE (SELECT CASE WHEN locked_until IS NULL THEN failed_sign_ins ELSE 0 END FROM known_device
            WHERE account_id = of_account AND device_digest = device) END, 0)
$$;

-- One failure more; the fifth in a row locks for 15 minutes. During a lock nothing is counted and nothing prolonged. A
-- known device's failures count for the account as well, whose lock keeps out everybody else.
CREATE FUNCTION count_failure(of_account integer, device bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    UPDATE account SET
        failed_sign_ins = CASE WHEN locked_until IS NULL THEN failed_sign_ins ELSE 0 END + 1,
        locked_until = CASE WHEN CASE WHEN locked_until IS NULL THEN failed_sign_ins ELSE 0 END + 1 >= 5
            THEN now() + interval '15 minutes' END
    WHERE id = of_account AND coalesce(locked_until <= now(), true);
    UPDATE known_device SET
        failed_sign_ins = CASE WHEN locked_until IS NULL THEN failed_sign_ins ELSE 0 END + 1,
        locked_until = CASE WHEN CASE WHEN locked_until IS NULL THEN failed_sign_ins ELSE 0 END + 1 >= 5
            THEN now() + interval '15 minutes' END
    WHERE account_id = of_account AND device_digest = device AND coalesce(locked_until <= now(), true);
END $$;

-- Reserves an attempt to sign in with a password, before anything is computed. `answer` is `go` (the salt is NULL where
-- no password can fit), `wait` while five attempts that could fail are under way, or `slow` for a network that has to
-- pause. Attempts that nobody finished within a minute are failures.
CREATE FUNCTION begin_attempt(login text, from_network text, device bytea)
    RETURNS TABLE (attempt uuid, answer text, salt text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
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
END $$;

-- Judges what bcrypt made of the password: the account, or NULL, which is counted and recorded.
CREATE FUNCTION finish_attempt(attempt uuid, computed text, from_address text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    owner account%ROWTYPE;
    tried sign_in_attempt%ROWTYPE;
    is_locked boolean;
BEGIN
    SELECT * INTO owner FROM account WHERE id = (SELECT account_id FROM sign_in_attempt WHERE id = attempt)
    FOR NO KEY UPDATE;
    SELECT * INTO tried FROM sign_in_attempt WHERE id = attempt AND kind = 'password' AND state = 'begun' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    is_locked := is_locked_for(owner.id, tried.device_digest);
    IF owner.password_hash = computed AND length(computed) = 60 AND owner.disabled_at IS NULL AND NOT is_locked
            AND coalesce(owner.one_time_until > now(), true)
            AND owner.credentials_version = tried.credentials_version THEN
        UPDATE sign_in_attempt SET state = 'right' WHERE id = attempt;
        RETURN owner.id;
    END IF;
    UPDATE sign_in_attempt SET state = 'wrong' WHERE id = attempt;
    IF NOT is_locked THEN
        PERFORM count_failure(owner.id, tried.device_digest);
    END IF;
    -- An unknown login is often a password typed into the wrong field: it is not kept.
    INSERT INTO audit_log (account_id, account_email, action, address, succeeded, details)
    VALUES (owner.id, owner.email, 'sign in', left(from_address, 100), false,
        jsonb_build_object('reason', CASE WHEN owner.id IS NULL THEN 'unknown login'
            WHEN is_locked_for(owner.id, tried.device_digest) THEN 'locked' ELSE 'refused' END));
    RETURN NULL;
END $$;

-- The attempt as far as it still counts: right, of the last ten minutes, and nothing about the account has changed
-- since. Keeps the account's row until the transaction ends.
CREATE FUNCTION standing_attempt(attempt uuid) RETURNS sign_in_attempt
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    owner account%ROWTYPE;
    tried sign_in_attempt%ROWTYPE;
BEGIN
    SELECT * INTO owner FROM account WHERE id = (SELECT account_id FROM sign_in_attempt WHERE id = attempt)
    FOR NO KEY UPDATE;
    SELECT * INTO tried FROM sign_in_attempt WHERE id = attempt AND state = 'right'
        AND begun_at > now() - interval '10 minutes' AND account_id = owner.id
        AND credentials_version = owner.credentials_version AND owner.disabled_at IS NULL
    FOR UPDATE;
    RETURN tried;
END $$;

-- Opens a session, once, for an attempt that was right in everything the account asks for.
DROP FUNCTION open_account_session(integer, bytea, interval, text, text, boolean, boolean);
CREATE FUNCTION open_account_session(attempt uuid, digest bytea, valid_for interval, from_address text,
        with_browser text, device bytea)
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    tried constant sign_in_attempt := standing_attempt(attempt);
    by_provider constant boolean := tried.kind = 'provider';
    owner account%ROWTYPE;
BEGIN
    SELECT * INTO owner FROM account WHERE id = tried.account_id
        AND tried.kind IN ('password', 'provider') AND NOT is_locked_for(id, tried.device_digest)
        AND (by_provider OR coalesce(one_time_until > now(), true))
        AND (totp_secret IS NULL OR tried.has_factor OR tried.provider_factor);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE sign_in_attempt SET state = 'spent' WHERE id = attempt;
    -- A lock that strangers have earned goes on for them when the owner signs in from a known browser.
    UPDATE account SET failed_sign_ins = 0, locked_until = NULL
    WHERE id = owner.id AND coalesce(locked_until <= now(), true);
    INSERT INTO known_device (account_id, device_digest)
    SELECT owner.id, one FROM unnest(ARRAY[device, network_device(tried.network)]) AS one WHERE one IS NOT NULL
    ON CONFLICT (account_id, device_digest)
        DO UPDATE SET last_used_at = now(), failed_sign_ins = 0, locked_until = NULL;
    INSERT INTO account_session (token_digest, account_id, expires_at, address, browser, single_sign_on,
        provider_factor)
    VALUES (digest, owner.id, now() + least(valid_for, interval '12 hours'), left(from_address, 100),
        left(with_browser, 400), by_provider, tried.provider_factor);
    INSERT INTO audit_log (account_id, account_email, action, address, details)
    VALUES (owner.id, owner.email, 'sign in', left(from_address, 100),
        jsonb_strip_nulls(jsonb_build_object('browser', left(with_browser, 400),
            'by', CASE WHEN by_provider THEN 'single sign-on' END)));
    RETURN true;
END $$;

-- An attempt of somebody who is signed in and is asked for a code again; it opens no session.
CREATE FUNCTION begin_own_attempt(from_network text) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    INSERT INTO sign_in_attempt (kind, account_id, credentials_version, network, state)
    SELECT 'own', id, credentials_version, from_network, 'right' FROM account WHERE id = viewer_id()
    RETURNING id
$$;

-- What only our own process may say, and not whoever speaks to the database as the app's role: what a provider has
-- answered, and that a code is the one that the app shows.

-- NULL when the account is somebody else's at the provider, or this somebody another account's here.
CREATE FUNCTION begin_provider_attempt(of_account integer, by_issuer text, by_subject text, with_factor boolean,
        from_network text, device bytea, from_address text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    owner account%ROWTYPE;
    made uuid;
BEGIN
    SELECT * INTO owner FROM account WHERE id = of_account AND disabled_at IS NULL FOR NO KEY UPDATE;
    INSERT INTO single_sign_on_identity (account_id, issuer, subject)
    SELECT owner.id, by_issuer, by_subject WHERE owner.id IS NOT NULL
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        INSERT INTO audit_log (account_id, account_email, action, address, details)
        VALUES (owner.id, owner.email, 'bind single sign-on', left(from_address, 100),
            jsonb_build_object('issuer', by_issuer));
    ELSIF NOT EXISTS (SELECT FROM single_sign_on_identity
            WHERE account_id = owner.id AND issuer = by_issuer AND subject = by_subject) THEN
        RETURN NULL;
    END IF;
    INSERT INTO sign_in_attempt (kind, account_id, credentials_version, network, device_digest, state, provider_factor)
    SELECT 'provider', owner.id, owner.credentials_version, from_network,
        known_as(owner.id, device, from_network),
        'right', with_factor
    RETURNING id INTO made;
    RETURN made;
END $$;

-- The secret for an attempt that stands and is not locked; the account's row is kept, so that codes are judged one
-- after the other. No row otherwise, and none where there is no second factor.
CREATE FUNCTION second_factor_of(attempt uuid) RETURNS TABLE (account_id integer, secret text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    tried constant sign_in_attempt := standing_attempt(attempt);
BEGIN
    RETURN QUERY SELECT a.id, a.totp_secret FROM account a
        WHERE a.id = tried.account_id AND a.totp_secret IS NOT NULL AND NOT is_locked_for(a.id, tried.device_digest);
END $$;

-- Whether a code is asked for after this attempt.
CREATE FUNCTION asks_second_factor(attempt uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT coalesce((SELECT a.totp_secret IS NOT NULL AND NOT s.provider_factor
        FROM sign_in_attempt s JOIN account a ON a.id = s.account_id WHERE s.id = attempt AND s.state = 'right'), false)
$$;

-- `step` is that of a code which the secret makes, NULL where it makes none; the digest is that of what was typed.
-- `used` and `recovery` let in; `repeated` is a code of a step that was used, or of an earlier one. A failure counts.
CREATE FUNCTION judge_code(attempt uuid, step bigint, code_digest bytea, from_address text)
    RETURNS TABLE (outcome text, codes_left integer)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
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
END $$;

-- Nothing is counted against the account: nobody guesses at a provider's answer.
CREATE OR REPLACE FUNCTION record_refused_single_sign_on(login text, why text, from_address text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    found_id integer;
    found_email text;
BEGIN
    SELECT id, email INTO found_id, found_email FROM account WHERE email_key = login_key(login);
    INSERT INTO audit_log (account_id, account_email, action, address, succeeded, details)
    VALUES (found_id, found_email, 'sign in', left(from_address, 100), false,
        jsonb_build_object('reason', left(why, 100), 'by', 'single sign-on'));
END $$;

DROP FUNCTION account_to_check(text);
DROP FUNCTION record_failed_sign_in(text, text);
DROP FUNCTION second_factor_secret(integer);
DROP FUNCTION use_second_factor_step(integer, bigint, text);
DROP FUNCTION use_recovery_code(integer, bytea, text);

REVOKE ALL ON FUNCTION end_unbound_sessions(), network_device(text), known_as(integer, bytea, text), pause_of(text), is_locked_for(integer, bytea),
    failures_for(integer, bytea), count_failure(integer, bytea), begin_attempt(text, text, bytea),
    finish_attempt(uuid, text, text), standing_attempt(uuid),
    open_account_session(uuid, bytea, interval, text, text, bytea), begin_own_attempt(text),
    begin_provider_attempt(integer, text, text, boolean, text, bytea, text), second_factor_of(uuid),
    asks_second_factor(uuid), judge_code(uuid, bigint, bytea, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION begin_attempt(text, text, bytea), finish_attempt(uuid, text, text),
    open_account_session(uuid, bytea, interval, text, text, bytea), begin_own_attempt(text), asks_second_factor(uuid)
    TO esupport_app;
GRANT EXECUTE ON FUNCTION begin_provider_attempt(integer, text, text, boolean, text, bytea, text),
    second_factor_of(uuid), judge_code(uuid, bigint, bytea, text), credentials_owner(integer),
    announce_credentials(integer, text, text, text, text) TO esupport_jobs;
