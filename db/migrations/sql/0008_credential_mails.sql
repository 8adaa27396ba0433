-- Mails about changed credentials; codes of the second factor that come twice; none counts while an account is locked.

-- Whether a credential of the account was changed or used in this very transaction, by what was recorded of it.
CREATE FUNCTION has_changed_credentials(of_account integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM audit_log WHERE account_id = of_account AND at >= transaction_timestamp()
        AND action IN ('change password', 'reset password', 'second factor on', 'second factor off',
            'use recovery code', 'repeat code'))
$$;

-- Who is to be told, and in which time zone; no row unless something has just changed.
CREATE FUNCTION credentials_owner(of_account integer) RETURNS TABLE (email text, name text, time_zone text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT email, name, time_zone FROM account WHERE id = of_account AND has_changed_credentials(of_account) $$;

-- Queues the message, to the account's own address and nowhere else. Nobody is signed in yet when a forgotten password
-- is set or a code is refused, so that the app's role cannot add it itself.
CREATE FUNCTION announce_credentials(of_account integer, id_of_message text, subject_line text, text_part text,
        html_part text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO mail (message_id, kind, to_address, to_name, subject, text_body, html_body, account_id)
    SELECT id_of_message, 'credentials', email, name, subject_line, text_part, html_part, id
    FROM account WHERE id = of_account AND has_changed_credentials(of_account);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'nothing has changed' USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;

-- As before, but says whose password it was; NULL for a link that is not good any more.
DROP FUNCTION reset_password(bytea, text, text);
CREATE FUNCTION reset_password(digest bytea, new_hash text, from_address text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    found_id integer;
    found_email text;
BEGIN
    UPDATE password_reset r SET used_at = now() FROM account a
    WHERE r.token_digest = digest AND r.used_at IS NULL AND r.expires_at > now() AND a.id = r.account_id
        AND a.disabled_at IS NULL
    RETURNING a.id, a.email INTO found_id, found_email;
    IF found_id IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE password_reset SET used_at = now() WHERE account_id = found_id AND used_at IS NULL;
    UPDATE account SET password_hash = new_hash, must_change_password = false, one_time_until = NULL,
        failed_sign_ins = 0, locked_until = NULL WHERE id = found_id;
    UPDATE account_session SET ended_at = now(), ended_because = 'password changed'
    WHERE account_id = found_id AND ended_at IS NULL;
    INSERT INTO audit_log (account_id, account_email, action, address)
    VALUES (found_id, found_email, 'reset password', left(from_address, 100));
    RETURN found_id;
END $$;

-- `used` for a code that counts; `repeated` for one of a step that was used, or of an earlier one, which is recorded;
-- NULL when there is no second factor or the account is locked.
DROP FUNCTION use_second_factor_step(integer, bigint);
CREATE FUNCTION use_second_factor_step(for_account integer, step bigint, from_address text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    UPDATE account SET totp_last_step = step WHERE id = for_account AND totp_secret IS NOT NULL
        AND coalesce(totp_last_step < step, true) AND coalesce(locked_until <= now(), true);
    IF FOUND THEN
        RETURN 'used';
    END IF;
    INSERT INTO audit_log (account_id, account_email, action, address, succeeded)
    SELECT id, email, 'repeat code', left(from_address, 100), false FROM account
    WHERE id = for_account AND totp_last_step >= step AND coalesce(locked_until <= now(), true);
    RETURN CASE WHEN FOUND THEN 'repeated' END;
END $$;

-- How many recovery codes are left when this one was used up; NULL when it is none, or the account is locked.
DROP FUNCTION use_recovery_code(integer, bytea, text);
CREATE FUNCTION use_recovery_code(for_account integer, code_digest bytea, from_address text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    DELETE FROM recovery_code c USING account a
    WHERE c.account_id = for_account AND c.digest = code_digest AND a.id = c.account_id
        AND a.disabled_at IS NULL AND coalesce(a.locked_until <= now(), true);
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    INSERT INTO audit_log (account_id, account_email, action, address)
    SELECT id, email, 'use recovery code', left(from_address, 100) FROM account WHERE id = for_account;
    RETURN (SELECT count(*) FROM recovery_code WHERE account_id = for_account);
END $$;

REVOKE ALL ON FUNCTION has_changed_credentials(integer), credentials_owner(integer),
    announce_credentials(integer, text, text, text, text), reset_password(bytea, text, text),
    use_second_factor_step(integer, bigint, text), use_recovery_code(integer, bytea, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION credentials_owner(integer), announce_credentials(integer, text, text, text, text),
    reset_password(bytea, text, text), use_second_factor_step(integer, bigint, text),
    use_recovery_code(integer, bytea, text) TO esupport_app;
