-- What more filters compare with: keys of payment method, country, total, product and reason. Ordinary columns that triggers
-- fill, like email_key: a generated column would rewrite its table under a lock that lets nobody read.

-- The key of a text that a filter compares, NULL for one that no search can ask for because it is too long (500 characters
-- of four bytes). An index takes at most 2,700 bytes per row.
CREATE OR REPLACE FUNCTION filter_key(value text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    key text := public.fold(value);
BEGIN
    RETURN CASE WHEN octet_length(key) <= 2000 THEN key END;
END $$;

-- An amount in whole thousandths, rounded down. Comparisons of numeric are not leakproof, so under row-level security no
-- index would be used for them; those of bigint are. It narrows a search down, and the amount itself decides.
CREATE OR REPLACE FUNCTION amount_key(amount numeric) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN floor(amount * 1000)::bigint;

CREATE OR REPLACE FUNCTION set_order_filter_keys() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    NEW.payment_method_key := public.filter_key(NEW.payment_method);
    NEW.country_key := public.filter_key(NEW.country);
    NEW.total_key := public.amount_key(NEW.total);
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER orders_filter_keys BEFORE INSERT OR UPDATE OF payment_method, country, total ON orders
    FOR EACH ROW EXECUTE FUNCTION set_order_filter_keys();

CREATE OR REPLACE FUNCTION set_item_filter_keys() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    NEW.name_key := public.filter_key(NEW.name);
    NEW.product_key := public.filter_key(NEW.product_id);
    NEW.sku_key := public.filter_key(NEW.sku);
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER order_item_filter_keys BEFORE INSERT OR UPDATE OF name, product_id, sku ON order_item
    FOR EACH ROW EXECUTE FUNCTION set_item_filter_keys();

-- Fires after refund_request_keep_erased, which may change the reason: triggers fire in the order of their names.
CREATE OR REPLACE FUNCTION set_reason_key() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    NEW.reason_key := public.filter_key(NEW.reason);
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER refund_request_reason_key BEFORE INSERT OR UPDATE OF reason, note ON refund_request
    FOR EACH ROW EXECUTE FUNCTION set_reason_key();

REVOKE ALL ON FUNCTION filter_key(text), amount_key(numeric), set_order_filter_keys(), set_item_filter_keys(),
    set_reason_key() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION filter_key(text), amount_key(numeric) TO esupport_app, esupport_jobs;
