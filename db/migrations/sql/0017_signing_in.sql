-- Signing in under attack: who is looking is proven to the database and not only said; an attempt is counted before it
-- is judged; what was begun before a change of an account's credentials is worthless after it.

-- What a login is compared by.
CREATE FUNCTION login_key(login text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN email_key(login);

-- ---------------------------------------------------------------------------------------------------------------------
-- What a change of credentials makes worthless.

ALTER TABLE account ADD COLUMN credentials_version integer NOT NULL DEFAULT 1;
GRANT SELECT (credentials_version) ON account TO esupport_app;

-- After the change and not before it: a trigger before it would lock the row against whatever only refers to it.
CREATE FUNCTION raise_credentials_version() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    UPDATE account SET credentials_version = credentials_version + 1 WHERE id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER credentials_changed AFTER UPDATE ON account FOR EACH ROW
    WHEN ((OLD.password_hash, OLD.must_change_password, OLD.email, OLD.role, OLD.totp_secret, OLD.disabled_at IS NULL)
            IS DISTINCT FROM
            (NEW.password_hash, NEW.must_change_password, NEW.email, NEW.role, NEW.totp_secret, NEW.disabled_at IS NULL)
        OR OLD.locked_until > now() AND NEW.locked_until IS NULL)
    EXECUTE FUNCTION raise_credentials_version();

-- Links of before this version belong to the first one.
ALTER TABLE password_reset ADD COLUMN credentials_version integer NOT NULL DEFAULT 1;
ALTER TABLE password_reset ALTER COLUMN credentials_version DROP DEFAULT;

-- ---------------------------------------------------------------------------------------------------------------------
-- Sessions and viewers.

-- Until now nobody wrote down when a session was used: those that stand are used now.
UPDATE account_session SET last_seen_at = now() WHERE ended_at IS NULL AND expires_at > now();
UPDATE account_session SET expires_at = created_at + interval '12 hours'
WHERE expires_at > created_at + interval '12 hours';
ALTER TABLE account_session ADD CHECK (expires_at <= created_at + interval '12 hours');

-- Two keys of 64 bytes each, for HMAC (RFC 2104) out of what every server has.
INSERT INTO portal_secret (name, value)
SELECT 'viewer', decode(string_agg(replace(gen_random_uuid()::text, '-', ''), ''), 'hex') FROM generate_series(1, 8)
ON CONFLICT DO NOTHING;

-- The words with a mark that only these functions can make, good in this transaction and no other.
CREATE FUNCTION viewer_mark(words text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    key bytea;
BEGIN
    SELECT value INTO key FROM portal_secret WHERE name = 'viewer';
    RETURN encode(sha256(substr(key, 65) || sha256(substr(key, 1, 64)
        || convert_to(words || ' ' || extract(epoch FROM transaction_timestamp())::text, 'UTF8'))), 'hex');
END $$;

-- Makes the account of this session the viewer until the transaction ends; NULL when the session does not stand. Who
-- it was is known all the same, so that a refusal can be recorded. The token itself is asked for: its digest can be read.
CREATE FUNCTION become(token text, idle interval) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
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
END $$;

-- `account session stands` or `account session ended`; NULL when nobody proved to be anybody in this transaction.
CREATE FUNCTION proven_viewer() RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    given text := current_setting('esupport.viewer', true);
BEGIN
    IF coalesce(given, '') = '' OR right(given, 64) <> viewer_mark(left(given, -65)) THEN
        RETURN NULL;
    END IF;
    RETURN left(given, -65);
END $$;

CREATE OR REPLACE FUNCTION viewer_id() RETURNS integer
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    proven text := proven_viewer();
BEGIN
    RETURN CASE WHEN split_part(proven, ' ', 3) = 'stands' THEN split_part(proven, ' ', 1)::integer END;
END $$;

-- The viewer, or whose session it was that does not stand any more: for the record of what was refused.
CREATE FUNCTION known_viewer_id() RETURNS integer
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT split_part(proven_viewer(), ' ', 1)::integer $$;

CREATE FUNCTION viewer_session() RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT split_part(proven_viewer(), ' ', 2)::bigint WHERE viewer_id() IS NOT NULL $$;

-- As before, but the proof is looked at once and not for every account.
CREATE OR REPLACE FUNCTION viewer_role() RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    viewer constant integer := viewer_id();
BEGIN
    RETURN (SELECT a.role FROM account a WHERE a.id = viewer AND a.disabled_at IS NULL);
END $$;

CREATE OR REPLACE FUNCTION viewer_page_ids() RETURNS integer[]
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    viewer constant integer := viewer_id();
BEGIN
    RETURN (SELECT coalesce(array_agg(p.id), '{}')
        FROM checkout_page p, account a
        WHERE a.id = viewer AND a.disabled_at IS NULL AND (
            a.role = 'administrator' OR a.all_stores
            OR EXISTS (SELECT FROM account_page g WHERE g.account_id = a.id AND g.checkout_page_id = p.id)
            OR EXISTS (SELECT FROM team_member m JOIN team_page g USING (team_id)
                WHERE m.account_id = a.id AND g.checkout_page_id = p.id)));
END $$;

ALTER POLICY added ON audit_log WITH CHECK (account_id = (SELECT known_viewer_id()));

-- The account behind a session that stands, which becomes the viewer; using a session keeps it from ending idle.
DROP FUNCTION account_of_session(bytea);
CREATE FUNCTION account_of_session(token text, idle interval)
    RETURNS TABLE (id integer, single_sign_on boolean, provider_factor boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    digest constant bytea := sha256(convert_to(token, 'UTF8'));
BEGIN
    IF become(token, idle) IS NULL THEN
        RETURN;
    END IF;
    UPDATE account_session s SET last_seen_at = now()
    WHERE s.token_digest = digest AND s.last_seen_at < now() - interval '1 minute';
    RETURN QUERY SELECT s.account_id, s.single_sign_on, s.provider_factor
        FROM account_session s WHERE s.token_digest = digest;
END $$;

DROP FUNCTION end_account_session(bytea, text);
CREATE FUNCTION end_account_session(token text, from_address text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    WITH ended AS (
        UPDATE account_session SET ended_at = now(), ended_because = 'signed out'
        WHERE token_digest = sha256(convert_to(token, 'UTF8')) AND ended_at IS NULL
        RETURNING account_id
    )
    INSERT INTO audit_log (account_id, account_email, action, address)
    SELECT a.id, a.email, 'sign out', left(from_address, 100) FROM ended JOIN account a ON a.id = ended.account_id;
END $$;

REVOKE ALL ON FUNCTION login_key(text), raise_credentials_version(), viewer_mark(text), become(text, interval),
    proven_viewer(), known_viewer_id(), viewer_session(), account_of_session(text, interval),
    end_account_session(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION become(text, interval), known_viewer_id(), account_of_session(text, interval),
    end_account_session(text, text) TO esupport_app;
GRANT EXECUTE ON FUNCTION login_key(text) TO esupport_jobs;
