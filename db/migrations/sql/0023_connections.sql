-- Connections: who reads their addresses.

-- A connection's key opens its address, and the address of a shop may hold a secret in its query. Whoever acts on an order
-- has to know that there is a connection, and whether it sends anything: not where.
ALTER TABLE connection ADD COLUMN has_out_url boolean NOT NULL GENERATED ALWAYS AS (out_url IS NOT NULL) STORED;
REVOKE SELECT ON connection FROM esupport_app;
GRANT SELECT (id, checkout_page_id, kind, name, topics, confirms, options, rate_per_minute, created_at, created_by,
    last_received_at, last_delivered_at, trouble, trouble_since, switched_off_at, switched_off_because, paused_until,
    reported_at, has_out_url) ON connection TO esupport_app;

-- The addresses, for an administrator; empty for everybody else.
CREATE FUNCTION connection_addresses() RETURNS TABLE (connection_id integer, key text, out_url text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT c.id, c.key, c.out_url FROM connection c WHERE (SELECT viewer_role()) = 'administrator'
$$;
REVOKE ALL ON FUNCTION connection_addresses() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION connection_addresses() TO esupport_app;
