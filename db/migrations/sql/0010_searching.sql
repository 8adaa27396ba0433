-- The viewer's orders with a code that contains the fragment: of the first `most` such codes, NULL for all of them. An
-- order with several of them comes several times. LIKE is not leakproof, so under row-level security no index would be
-- used for it; here the scope is part of the statement, and (SELECT …) asks for it once.
CREATE FUNCTION orders_with_code(fragment text, most integer) RETURNS SETOF bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT order_id FROM activation_code
    WHERE code_key LIKE '%' || replace(replace(replace(fold(fragment), '\', '\\'), '%', '\%'), '_', '\_') || '%'
        AND checkout_page_id = ANY ((SELECT viewer_page_ids())::integer[])
    LIMIT most
$$;
REVOKE ALL ON FUNCTION orders_with_code(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION orders_with_code(text, integer) TO esupport_app;
DROP FUNCTION orders_with_code(text);

-- What is rare, newest first within a store: without these, a search for it walks over all that is common. Each holds
-- only the rows that it is for.
CREATE INDEX orders_subscribed ON orders (checkout_page_id, created_at DESC, order_id DESC)
    WHERE active_subscription OR cancelled_subscription;
CREATE INDEX orders_unsubscribed ON orders (checkout_page_id, created_at DESC, order_id DESC)
    WHERE cancelled_subscription;
CREATE INDEX orders_undelivered ON orders (checkout_page_id, created_at DESC, order_id DESC) WHERE NOT delivered;
