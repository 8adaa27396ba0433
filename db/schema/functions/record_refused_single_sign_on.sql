CREATE OR REPLACE FUNCTION public.record_refused_single_sign_on(login text, why text, from_address text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    found_id integer;
    found_email text;
BEGIN
    SELECT id, email INTO found_id, found_email FROM account WHERE email_key = login_key(login);
    INSERT INTO audit_log (account_id, account_email, action, address, succeeded, details)
    VALUES (found_id, found_email, 'sign in', left(from_address, 100), false,
        jsonb_build_object('reason', left(why, 100), 'by', 'single sign-on'));
END $function$;
