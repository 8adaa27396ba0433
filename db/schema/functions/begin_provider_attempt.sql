CREATE OR REPLACE FUNCTION public.begin_provider_attempt(of_account integer, by_issuer text, by_subject text, with_factor boolean, from_network text, device bytea, from_address text)
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
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
END $function$;
