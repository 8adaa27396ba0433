-- What a shop with a database of its own may do here: put orders into the inbox, and read and acknowledge what goes out.
-- Nothing else of the database is open to it. An administrator grants the role: GRANT esupport_writer TO shop;

CREATE SCHEMA api;
REVOKE ALL ON SCHEMA api FROM PUBLIC;
GRANT USAGE ON SCHEMA api TO esupport_writer;

-- Put an order document into the inbox, as POST /hooks/v1/<key> does; the worker merges it once this transaction is
-- committed. The document's checkout_page names the store, which must exist. Returns the number of the message, under
-- which administrators see what became of it.
CREATE FUNCTION api.put_order(document jsonb) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
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
END $$;

-- What the shop has not acknowledged yet, oldest first, in the form of the webhooks. Written for stores that have a
-- connection; one without an address is enough.
CREATE VIEW api.events AS
SELECT e.id, e.type, e.created_at AS "timestamp", p.name AS store, e.order_id, e.data
FROM outbox_event e JOIN checkout_page p ON p.id = e.checkout_page_id
WHERE e.acknowledged_at IS NULL
ORDER BY e.seq;

-- The shop has dealt with this event. False when it has said so before, and for an ID that no event has.
CREATE FUNCTION api.ack(id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    UPDATE outbox_event e SET acknowledged_at = now() WHERE e.id = ack.id AND e.acknowledged_at IS NULL;
    RETURN FOUND;
END $$;

REVOKE ALL ON FUNCTION api.put_order(jsonb), api.ack(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api.put_order(jsonb), api.ack(uuid) TO esupport_writer;
GRANT SELECT ON api.events TO esupport_writer;
