CREATE OR REPLACE FUNCTION public.remember_licence_user()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    INSERT INTO known_value (order_id, position, kind, words, digest)
    SELECT o.order_id, OLD.position, d.kind, d.words, d.digest
    FROM orders o, digests_of(ARRAY['email', 'name', 'name'],
        ARRAY[OLD.license_email, OLD.license_first_name, OLD.license_last_name]) d
    WHERE o.order_id = OLD.order_id AND NOT o.customer_erased
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $function$;
