CREATE OR REPLACE FUNCTION public.open_account_session(attempt uuid, digest bytea, valid_for interval, from_address text, with_browser text, device bytea)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
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
END $function$;
