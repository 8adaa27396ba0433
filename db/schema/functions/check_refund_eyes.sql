CREATE OR REPLACE FUNCTION public.check_refund_eyes(request refund_request, refund jsonb)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    acting integer := viewer_id();
BEGIN
    -- The row is locked against an administrator who changes the rules at this moment.
    IF (SELECT p.refund_four_eyes FROM checkout_page p WHERE p.id = request.checkout_page_id FOR SHARE)
        AND (request.requested_by = acting OR request.requested_by = request.decided_by)
    THEN
        RAISE EXCEPTION 'four eyes: who requested refund % does not fulfil it', request.id
            USING ERRCODE = 'ES002';
    END IF;
    IF request.decision IS NULL AND NOT coalesce(refund_needs_approval(request.order_id, refund ->> 'currency',
        (refund ->> 'amount')::numeric), true)
    THEN
        RETURN;
    END IF;
    IF request.decision IS NULL OR request.decided_by IS NULL OR request.approved_by IS DISTINCT FROM acting
        OR acting = request.decided_by OR acting IS NOT DISTINCT FROM request.requested_by
    THEN
        RAISE EXCEPTION 'refund % needs the approval of a second operator', request.id
            USING ERRCODE = 'ES002';
    END IF;
    IF refund ->> 'currency' IS DISTINCT FROM request.decision ->> 'currency'
        OR (refund ->> 'amount')::numeric IS DISTINCT FROM (request.decision ->> 'amount')::numeric
        OR (refund ->> 'delete_codes')::boolean IS DISTINCT FROM (request.decision ->> 'delete_codes')::boolean
        OR (refund ->> 'stop_renewal')::boolean IS DISTINCT FROM (request.decision ->> 'stop_renewal')::boolean
        OR refund_lines(refund -> 'items') IS DISTINCT FROM refund_lines(request.decision -> 'items')
    THEN
        RAISE EXCEPTION 'refund % is not what was approved', request.id USING ERRCODE = 'ES002';
    END IF;
END $function$;
