CREATE OR REPLACE FUNCTION public.check_recorded_refund()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    request refund_request;
BEGIN
    IF viewer_id() IS NULL THEN
        RETURN NEW;
    END IF;
    SELECT * INTO request FROM refund_request r
        WHERE r.id::text = NEW.subject AND r.order_id = NEW.order_id AND r.status = 'updating';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no open refund request %', NEW.subject USING ERRCODE = 'ES002';
    END IF;
    PERFORM check_refund_eyes(request, NEW.wish);
    RETURN NEW;
END $function$;
