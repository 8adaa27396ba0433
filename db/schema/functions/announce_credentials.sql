CREATE OR REPLACE FUNCTION public.announce_credentials(of_account integer, id_of_message text, subject_line text, text_part text, html_part text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    INSERT INTO mail (message_id, kind, to_address, to_name, subject, text_body, html_body, account_id)
    SELECT id_of_message, 'credentials', email, name, subject_line, text_part, html_part, id
    FROM account WHERE id = of_account AND has_changed_credentials(of_account);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'nothing has changed' USING ERRCODE = 'insufficient_privilege';
    END IF;
END $function$;
