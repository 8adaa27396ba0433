CREATE OR REPLACE FUNCTION public.help_desk_customer(for_connection integer, email_keys text[], from_address text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    store integer;
    told jsonb;
BEGIN
    SELECT checkout_page_id INTO store FROM connection
    WHERE id = for_connection AND kind = 'help desk' AND switched_off_at IS NULL;
    IF store IS NULL THEN
        RAISE EXCEPTION 'no help desk' USING ERRCODE = 'insufficient_privilege';
    END IF;
    told := help_desk_summary(store, email_keys);
    INSERT INTO audit_log (action, address, details)
    VALUES ('help desk look-up', left(from_address, 100), jsonb_build_object('connection', for_connection,
        'e-mails', cardinality(email_keys), 'found', told -> 'orders',
        'shown', jsonb_path_query_array(told, '$.newest[*].order_id')));
    -- At most once a second, and without waiting for anybody.
    UPDATE connection SET last_received_at = now() WHERE id IN (
        SELECT id FROM connection WHERE id = for_connection
            AND coalesce(last_received_at < now() - interval '1 second', true) FOR UPDATE SKIP LOCKED);
    RETURN told;
END $function$;
