-- From here on the database has the last word on what is given back.

DROP FUNCTION IF EXISTS line_shares(bigint), currency_decimals(text);

ALTER TABLE refund_request
    DROP CONSTRAINT IF EXISTS refund_request_amount,
    ADD CONSTRAINT refund_request_amount CHECK (amount IS NULL OR (amount >= 0 AND amount < 1e15 AND status = 'completed')),
    DROP CONSTRAINT IF EXISTS refund_request_currency,
    ADD CONSTRAINT refund_request_currency CHECK ((amount IS NULL) = (currency IS NULL));
ALTER TABLE refund_request_item
    DROP CONSTRAINT IF EXISTS refund_request_item_amount,
    ADD CONSTRAINT refund_request_item_amount CHECK (amount >= 0 AND amount < 1e15),
    DROP CONSTRAINT IF EXISTS refund_request_item_quantity,
    ADD CONSTRAINT refund_request_item_quantity CHECK (quantity >= 1);

-- Never more than was paid. The order's row is written to, not only locked: of two refunds at once the second waits
-- and then sees the first, and one whose snapshot is older fails to serialize instead of overlooking it.
CREATE OR REPLACE FUNCTION check_refund_sum() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    paid record;
    given numeric;
BEGIN
    IF NEW.amount IS NULL THEN
        RAISE EXCEPTION 'a completed refund says its sum' USING ERRCODE = 'check_violation';
    END IF;
    UPDATE orders SET refund_status = refund_status WHERE order_id = NEW.order_id
        RETURNING total, currency INTO paid;
    IF NEW.currency <> paid.currency THEN
        RAISE EXCEPTION 'a refund of order % is in its currency', NEW.order_id USING ERRCODE = 'check_violation';
    END IF;
    SELECT coalesce(sum(r.amount), 0) INTO given FROM refund_request r
        WHERE r.order_id = NEW.order_id AND r.status = 'completed' AND r.currency = paid.currency;
    IF given > paid.total THEN
        RAISE EXCEPTION 'refunds of order % come to more than was paid', NEW.order_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION check_refund_sum() FROM PUBLIC;

DROP TRIGGER IF EXISTS refund_request_closed ON refund_request;
CREATE TRIGGER refund_request_closed AFTER UPDATE OF status ON refund_request FOR EACH ROW
    WHEN (NEW.status = 'completed' AND OLD.status <> 'completed') EXECUTE FUNCTION check_refund_sum();
DROP TRIGGER IF EXISTS refund_request_corrected ON refund_request;
CREATE TRIGGER refund_request_corrected AFTER UPDATE OF amount, currency, order_id ON refund_request FOR EACH ROW
    WHEN (NEW.status = 'completed' AND OLD.status = 'completed'
        AND (NEW.amount, NEW.currency, NEW.order_id) IS DISTINCT FROM (OLD.amount, OLD.currency, OLD.order_id))
    EXECUTE FUNCTION check_refund_sum();
-- A row that arrives completed may be one of before, whose sum nobody knows.
DROP TRIGGER IF EXISTS refund_request_arrived ON refund_request;
CREATE TRIGGER refund_request_arrived AFTER INSERT ON refund_request FOR EACH ROW
    WHEN (NEW.status = 'completed' AND NEW.amount IS NOT NULL) EXECUTE FUNCTION check_refund_sum();

-- A refund is the sum of its lines. At the end of the transaction, because a request and its lines come one after the
-- other.
CREATE OR REPLACE FUNCTION check_refund_lines() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    request bigint;
BEGIN
    IF TG_TABLE_NAME = 'refund_request' THEN
        request := NEW.id;
    ELSE
        request := coalesce(NEW.refund_request_id, OLD.refund_request_id);
    END IF;
    IF EXISTS (SELECT FROM refund_request r WHERE r.id = request AND r.amount IS NOT NULL AND r.amount IS DISTINCT FROM
            (SELECT sum(i.amount) FROM refund_request_item i WHERE i.refund_request_id = r.id)) THEN
        RAISE EXCEPTION 'refund request % is not the sum of its lines', request USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION check_refund_lines() FROM PUBLIC;

DROP TRIGGER IF EXISTS refund_request_lines ON refund_request;
CREATE CONSTRAINT TRIGGER refund_request_lines AFTER INSERT OR UPDATE ON refund_request
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.amount IS NOT NULL) EXECUTE FUNCTION check_refund_lines();
DROP TRIGGER IF EXISTS refund_request_item_lines ON refund_request_item;
CREATE CONSTRAINT TRIGGER refund_request_item_lines AFTER INSERT OR UPDATE OR DELETE ON refund_request_item
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_refund_lines();

GRANT UPDATE (amount, currency) ON refund_request TO esupport_app;
