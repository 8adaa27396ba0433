CREATE OR REPLACE FUNCTION public.request_password_reset(login text, digest bytea, id_of_message text, subject_line text, text_part text, html_part text, from_address text, from_network text)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
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
END $function$;
