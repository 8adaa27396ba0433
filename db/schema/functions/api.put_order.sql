CREATE OR REPLACE FUNCTION api.put_order(document jsonb)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    order_number numeric;
    message bytea;
    number bigint;
BEGIN
    IF document IS NULL OR jsonb_typeof(document) <> 'object' THEN
        RAISE EXCEPTION 'The order document must be a JSON object.' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF jsonb_typeof(document -> 'order_id') = 'number' THEN
        order_number := (document ->> 'order_id')::numeric;
    END IF;
    IF order_number IS NULL OR order_number <> trunc(order_number) OR order_number NOT BETWEEN 1 AND 9223372036854775807
    THEN
        RAISE EXCEPTION 'order_id: a whole number from 1 to 9223372036854775807 is expected.'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF jsonb_typeof(document -> 'checkout_page') IS DISTINCT FROM 'string'
        OR NOT EXISTS (SELECT FROM checkout_page p WHERE p.name = document ->> 'checkout_page')
    THEN
        RAISE EXCEPTION 'checkout_page: the technical name of a store is expected.'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    message := convert_to(jsonb_build_object('type', 'order.upserted', 'data', document,
        'timestamp', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))::text, 'UTF8');
    IF octet_length(message) > 1048576 THEN
        RAISE EXCEPTION 'An order document may have about 1 MB; files are better sent without their content.'
            USING ERRCODE = 'program_limit_exceeded';
    END IF;
    INSERT INTO inbox (connection_id, event_id, type, order_id, occurred_at, body)
    VALUES (NULL, gen_random_uuid()::text, 'order.upserted', order_number::bigint, now(), message)
    RETURNING id INTO number;
    RETURN number;
END $function$;
