-- The summaries in `orders`, and the audit log that only grows.

-- Recomputes what an order's items and subscriptions add up to. Touches only rows that change.
-- A subscription is shown for AR and PMR only; for a parent order once it was paid, for a child order always.
CREATE FUNCTION refresh_order_summary(changed bigint[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH summary AS (
        SELECT o.order_id,
            coalesce((SELECT bool_and(i.delivered) FROM order_item i WHERE i.order_id = o.order_id), false) AS delivered,
            coalesce(s.active, false) AS active, coalesce(s.cancelled, false) AS cancelled
        FROM orders o
        LEFT JOIN LATERAL (
            SELECT bool_or(s.status <> 'cancelled') AS active, bool_or(s.status = 'cancelled') AS cancelled
            FROM subscription s
            WHERE s.order_id = o.order_id AND s.type IN ('AR', 'PMR')
                AND (o.paid_at IS NOT NULL OR s.parent_order_id IS NOT NULL AND s.parent_order_id <> o.order_id)
        ) s ON true
        WHERE o.order_id = ANY (changed)
    )
    UPDATE orders o
    SET delivered = summary.delivered, active_subscription = summary.active, cancelled_subscription = summary.cancelled
    FROM summary
    WHERE o.order_id = summary.order_id
        AND (o.delivered, o.active_subscription, o.cancelled_subscription)
            IS DISTINCT FROM (summary.delivered, summary.active, summary.cancelled)
$$;

CREATE FUNCTION refresh_after_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM refresh_order_summary(array(SELECT DISTINCT order_id FROM changed));
    RETURN NULL;
END $$;

CREATE TRIGGER order_item_inserted AFTER INSERT ON order_item REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION refresh_after_change();
CREATE TRIGGER order_item_updated AFTER UPDATE ON order_item REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION refresh_after_change();
CREATE TRIGGER order_item_deleted AFTER DELETE ON order_item REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION refresh_after_change();
CREATE TRIGGER subscription_inserted AFTER INSERT ON subscription REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION refresh_after_change();
CREATE TRIGGER subscription_updated AFTER UPDATE ON subscription REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION refresh_after_change();
CREATE TRIGGER subscription_deleted AFTER DELETE ON subscription REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION refresh_after_change();

-- paid_at decides whether a parent order shows its subscription. A row trigger with a condition, because
-- a statement trigger would run for the refresh's own update as well.
CREATE FUNCTION refresh_paid_order() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM refresh_order_summary(ARRAY[NEW.order_id]);
    RETURN NULL;
END $$;
CREATE TRIGGER orders_paid_at AFTER UPDATE OF paid_at ON orders FOR EACH ROW
    WHEN ((OLD.paid_at IS NULL) <> (NEW.paid_at IS NULL)) EXECUTE FUNCTION refresh_paid_order();

-- The refund status of an order is that of its newest request.
CREATE FUNCTION refresh_refund_status() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    changed bigint := coalesce(NEW.order_id, OLD.order_id);
BEGIN
    UPDATE orders SET refund_status = newest.status
    FROM (SELECT (SELECT status FROM refund_request WHERE order_id = changed ORDER BY id DESC LIMIT 1) AS status) newest
    WHERE order_id = changed AND refund_status IS DISTINCT FROM newest.status;
    RETURN NULL;
END $$;
CREATE TRIGGER refund_request_changed AFTER INSERT OR UPDATE OR DELETE ON refund_request
    FOR EACH ROW EXECUTE FUNCTION refresh_refund_status();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
