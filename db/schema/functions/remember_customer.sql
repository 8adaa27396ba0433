CREATE OR REPLACE FUNCTION public.remember_customer()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    kinds constant text[] := ARRAY['email', 'name', 'name', 'phone', 'vat', 'company', 'address', 'address'];
    before text[] := ARRAY[OLD.email, OLD.first_name, OLD.last_name, OLD.phone, OLD.vat_number, OLD.company_name,
        OLD.company_billing_address, OLD.company_delivery_address];
    since constant text[] := ARRAY[NEW.email, NEW.first_name, NEW.last_name, NEW.phone, NEW.vat_number,
        NEW.company_name, NEW.company_billing_address, NEW.company_delivery_address];
BEGIN
    FOR n IN 1..cardinality(kinds) LOOP
        IF before[n] = ANY (since) THEN
            before[n] := NULL;
        END IF;
    END LOOP;
    INSERT INTO known_value (order_id, kind, words, digest)
    SELECT OLD.order_id, d.kind, d.words, d.digest FROM digests_of(kinds, before) d
    WHERE NOT EXISTS (SELECT FROM unnest(kinds, since) n(kind, value)
        WHERE n.kind = d.kind AND value_key(n.kind, n.value) = d.key)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $function$;
