CREATE OR REPLACE FUNCTION public.check_refund_decision()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    acting integer := viewer_id();
BEGIN
    IF acting IS NULL THEN
        RETURN NEW;
    END IF;
    IF (NEW.decision, NEW.decided_by) IS DISTINCT FROM (OLD.decision, OLD.decided_by) AND NEW.decision IS NOT NULL
        AND (NEW.decided_by IS DISTINCT FROM acting OR NEW.approved_by_name IS NOT NULL)
    THEN
        RAISE EXCEPTION 'a decision on refund % is its maker''s own, and not approved yet', NEW.id
            USING ERRCODE = 'ES002';
    END IF;
    IF NEW.approved_by IS DISTINCT FROM OLD.approved_by AND NEW.approved_by IS NOT NULL
        AND (NEW.approved_by <> acting OR NEW.decision IS NULL OR NEW.decided_by IS NULL
            OR (NEW.decision, NEW.decided_by) IS DISTINCT FROM (OLD.decision, OLD.decided_by)
            OR acting = NEW.decided_by OR acting IS NOT DISTINCT FROM NEW.requested_by)
    THEN
        RAISE EXCEPTION 'refund % needs the approval of a second operator', NEW.id USING ERRCODE = 'ES002';
    END IF;
    IF NEW.status = 'completed' AND OLD.status <> 'completed' THEN
        IF NEW.closed_by IS DISTINCT FROM acting THEN
            RAISE EXCEPTION 'refund % says who closed it', NEW.id USING ERRCODE = 'ES002';
        END IF;
        PERFORM check_refund_eyes(NEW, jsonb_build_object('currency', NEW.currency, 'amount', NEW.amount,
            'delete_codes', NEW.delete_codes, 'stop_renewal', NEW.stop_subscriptions,
            'items', (SELECT jsonb_agg(jsonb_build_object('position', i.position, 'quantity', i.quantity,
                'amount', i.amount)) FROM refund_request_item i WHERE i.refund_request_id = NEW.id)));
    END IF;
    RETURN NEW;
END $function$;
