CREATE OR REPLACE FUNCTION public.check_refund_sum()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
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
END $function$;
