CREATE OR REPLACE FUNCTION public.refresh_refund_status()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    changed bigint := coalesce(NEW.order_id, OLD.order_id);
BEGIN
    UPDATE orders SET refund_status = newest.status
    FROM (SELECT (SELECT status FROM refund_request WHERE order_id = changed ORDER BY id DESC LIMIT 1) AS status) newest
    WHERE order_id = changed AND refund_status IS DISTINCT FROM newest.status;
    RETURN NULL;
END $function$;
