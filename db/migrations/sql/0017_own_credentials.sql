-- Changing one's own credentials, by a proof that is fresh; links that set a forgotten password.

-- Whether the viewer has just proven to be themselves: by the password, or by a code where there are no passwords. The
-- proof is used up.
CREATE FUNCTION use_own_proof(attempt uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    tried constant sign_in_attempt := standing_attempt(attempt);
BEGIN
    IF tried.account_id IS NULL OR tried.account_id IS DISTINCT FROM viewer_id()
            OR NOT (tried.kind = 'password' OR tried.kind = 'own' AND tried.has_factor) THEN
        RETURN false;
    END IF;
    UPDATE sign_in_attempt SET state = 'spent' WHERE id = attempt;
    RETURN true;
END $$;

-- Whether the viewer came through a provider, and need not have a password.
CREATE FUNCTION is_single_sign_on_session() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT EXISTS (SELECT FROM account_session WHERE id = viewer_session() AND single_sign_on) $$;

-- The salt of the viewer's own password, to find out whether a new one is the old one.
CREATE FUNCTION own_password_salt() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT substring(password_hash FROM '^(\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{22})[./A-Za-z0-9]{31}$')
    FROM account WHERE id = viewer_id()
$$;

-- `done`; `same` when the new password is the old one (`with_old_salt`); `unproven` without a proof, which only the
-- session of a one-time password needs not. Every other session of the account ends.
DROP FUNCTION change_own_password(text, bytea, text);
CREATE FUNCTION change_own_password(new_hash text, with_old_salt text, attempt uuid, from_address text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
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
END $$;

-- Sets (or with a NULL secret removes) the viewer's own second factor. `unproven` without a fresh proof; who came
-- through a provider has one for ten minutes after signing in. `changed` when the credentials are not those of
-- `known_version` any more: the secret was shown before.
DROP FUNCTION set_own_second_factor(text, bigint, bytea[], text);
CREATE FUNCTION set_own_second_factor(secret text, step bigint, digests bytea[], known_version integer, attempt uuid,
        from_address text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    owner account%ROWTYPE;
    this_session constant bigint := viewer_session();
BEGIN
    SELECT * INTO owner FROM account WHERE id = viewer_id() AND disabled_at IS NULL FOR NO KEY UPDATE;
    IF owner.id IS NULL OR NOT EXISTS (SELECT FROM account_session WHERE id = this_session AND ended_at IS NULL) THEN
        RAISE EXCEPTION 'no viewer' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF owner.credentials_version <> known_version THEN
        RETURN 'changed';
    END IF;
    IF NOT EXISTS (SELECT FROM account_session WHERE id = this_session AND single_sign_on AND secret IS NOT NULL
            AND created_at > now() - interval '10 minutes') AND NOT use_own_proof(attempt) THEN
        RETURN 'unproven';
    END IF;
    UPDATE account SET totp_secret = secret, totp_last_step = step WHERE id = owner.id;
    DELETE FROM recovery_code WHERE account_id = owner.id;
    INSERT INTO recovery_code (account_id, digest) SELECT owner.id, unnest(digests);
    INSERT INTO audit_log (account_id, account_email, action, address)
    VALUES (owner.id, owner.email, CASE WHEN secret IS NULL THEN 'second factor off' ELSE 'second factor on' END,
        left(from_address, 100));
    RETURN 'done';
END $$;

-- As before; ten requests an hour of a network are looked at, and `false` is the answer to more.
DROP FUNCTION request_password_reset(text, bytea, text, text, text, text, text);
CREATE FUNCTION request_password_reset(login text, digest bytea, id_of_message text, subject_line text,
        text_part text, html_part text, from_address text, from_network text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    owner account%ROWTYPE;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('esupport sign-in ' || from_network, 0));
    IF (SELECT count(*) FROM sign_in_attempt WHERE network = from_network AND kind = 'link'
            AND begun_at > now() - interval '1 hour') >= 10 THEN
        RETURN false;
    END IF;
    INSERT INTO sign_in_attempt (kind, network, state) VALUES ('link', from_network, 'spent');
    SELECT * INTO owner FROM account WHERE email_key = login_key(login) AND disabled_at IS NULL FOR NO KEY UPDATE;
    INSERT INTO audit_log (account_id, account_email, action, address, succeeded)
    VALUES (owner.id, owner.email, 'forgot password', left(from_address, 100), owner.id IS NOT NULL);
    IF owner.id IS NOT NULL AND (SELECT count(*) FROM password_reset
            WHERE account_id = owner.id AND created_at > now() - interval '1 hour') < 3 THEN
        INSERT INTO password_reset (token_digest, account_id, credentials_version)
        VALUES (digest, owner.id, owner.credentials_version);
        INSERT INTO mail (message_id, kind, to_address, to_name, subject, text_body, html_body, account_id)
        VALUES (id_of_message, 'password', owner.email, owner.name, subject_line, text_part, html_part, owner.id);
    END IF;
    RETURN true;
END $$;

-- Whose password the link sets; NULL once it was used, an hour has passed, or the account's credentials have changed.
CREATE OR REPLACE FUNCTION password_reset_email(digest bytea) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT a.email FROM password_reset r JOIN account a ON a.id = r.account_id
    WHERE r.token_digest = digest AND r.used_at IS NULL AND r.expires_at > now() AND a.disabled_at IS NULL
        AND r.credentials_version = a.credentials_version
$$;

CREATE OR REPLACE FUNCTION reset_password(digest bytea, new_hash text, from_address text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    owner account%ROWTYPE;
BEGIN
    SELECT a.* INTO owner FROM account a
    WHERE a.id = (SELECT r.account_id FROM password_reset r WHERE r.token_digest = digest) FOR NO KEY UPDATE;
    -- The account's row is ours now: what it says is what the link is measured by.
    IF owner.id IS NULL OR password_reset_email(digest) IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE password_reset SET used_at = now() WHERE account_id = owner.id AND used_at IS NULL;
    UPDATE account SET password_hash = new_hash, must_change_password = false, one_time_until = NULL,
        failed_sign_ins = 0, locked_until = NULL WHERE id = owner.id;
    UPDATE known_device SET failed_sign_ins = 0, locked_until = NULL WHERE account_id = owner.id;
    UPDATE account_session SET ended_at = now(), ended_because = 'password changed'
    WHERE account_id = owner.id AND ended_at IS NULL;
    INSERT INTO audit_log (account_id, account_email, action, address)
    VALUES (owner.id, owner.email, 'reset password', left(from_address, 100));
    RETURN owner.id;
END $$;

REVOKE ALL ON FUNCTION use_own_proof(uuid), is_single_sign_on_session(), own_password_salt(),
    change_own_password(text, text, uuid, text),
    set_own_second_factor(text, bigint, bytea[], integer, uuid, text),
    request_password_reset(text, bytea, text, text, text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION is_single_sign_on_session(), own_password_salt(),
    change_own_password(text, text, uuid, text),
    set_own_second_factor(text, bigint, bytea[], integer, uuid, text),
    request_password_reset(text, bytea, text, text, text, text, text, text) TO esupport_app;
