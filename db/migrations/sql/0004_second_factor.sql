-- A second factor: codes of an authenticator app, recovery codes, and the roles that must have one.

ALTER TABLE account
    ADD COLUMN totp_secret text CHECK (totp_secret ~ '^[A-Z2-7]{32}$'),
    ADD COLUMN totp_last_step bigint,
    ADD COLUMN has_second_factor boolean GENERATED ALWAYS AS (totp_secret IS NOT NULL) STORED;
GRANT SELECT (has_second_factor) ON account TO esupport_app;
GRANT UPDATE (totp_secret, totp_last_step) ON account TO esupport_app;  -- rows: administrators alone

CREATE TABLE recovery_code (
    account_id integer NOT NULL REFERENCES account ON DELETE CASCADE,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (account_id, digest)
);
ALTER TABLE recovery_code ENABLE ROW LEVEL SECURITY;
CREATE POLICY jobs ON recovery_code TO esupport_jobs USING (true) WITH CHECK (true);

CREATE TABLE role_rule (
    role text PRIMARY KEY CHECK (role IN ('specialist', 'analyst', 'refund_operator', 'administrator')),
    second_factor_required boolean NOT NULL DEFAULT false
);
INSERT INTO role_rule (role) VALUES ('specialist'), ('analyst'), ('refund_operator'), ('administrator');
ALTER TABLE role_rule ENABLE ROW LEVEL SECURITY;
CREATE POLICY jobs ON role_rule TO esupport_jobs USING (true) WITH CHECK (true);
CREATE POLICY seen ON role_rule FOR SELECT TO esupport_app USING ((SELECT viewer_role()) IS NOT NULL);
CREATE POLICY administrator_changes ON role_rule FOR UPDATE TO esupport_app
    USING ((SELECT viewer_role()) = 'administrator');
GRANT SELECT, UPDATE (second_factor_required) ON role_rule TO esupport_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON recovery_code, role_rule TO esupport_jobs;

-- The secret of an account whose password was just checked; NULL when it has no second factor.
CREATE FUNCTION second_factor_secret(for_account integer) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT totp_secret FROM account WHERE id = for_account AND disabled_at IS NULL $$;

-- A code counts once: false for one of a step that was used, or of an earlier one.
CREATE FUNCTION use_second_factor_step(for_account integer, step bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    UPDATE account SET totp_last_step = step WHERE id = for_account AND totp_secret IS NOT NULL
        AND coalesce(totp_last_step < step, true);
    RETURN FOUND;
END $$;

CREATE FUNCTION use_recovery_code(for_account integer, code_digest bytea, from_address text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    DELETE FROM recovery_code WHERE account_id = for_account AND digest = code_digest;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO audit_log (account_id, account_email, action, address)
    SELECT id, email, 'use recovery code', left(from_address, 100) FROM account WHERE id = for_account;
    RETURN true;
END $$;

-- Sets (or with a NULL secret removes) the viewer's own second factor, with its recovery codes.
CREATE FUNCTION set_own_second_factor(secret text, step bigint, digests bytea[], from_address text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    found_email text;
BEGIN
    UPDATE account SET totp_secret = secret, totp_last_step = step WHERE id = viewer_id() AND disabled_at IS NULL
    RETURNING email INTO found_email;
    IF found_email IS NULL THEN
        RAISE EXCEPTION 'no viewer' USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM recovery_code WHERE account_id = viewer_id();
    INSERT INTO recovery_code (account_id, digest) SELECT viewer_id(), unnest(digests);
    INSERT INTO audit_log (account_id, account_email, action, address)
    VALUES (viewer_id(), found_email, CASE WHEN secret IS NULL THEN 'second factor off' ELSE 'second factor on' END,
        left(from_address, 100));
END $$;

REVOKE ALL ON FUNCTION second_factor_secret(integer), use_second_factor_step(integer, bigint),
    use_recovery_code(integer, bytea, text), set_own_second_factor(text, bigint, bytea[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION second_factor_secret(integer), use_second_factor_step(integer, bigint),
    use_recovery_code(integer, bytea, text), set_own_second_factor(text, bigint, bytea[], text) TO esupport_app;
