CREATE OR REPLACE FUNCTION public.check_refund_lines()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
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
END $function$;
