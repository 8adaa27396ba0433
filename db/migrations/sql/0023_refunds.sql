-- Refunds in parts, a list of reasons, four eyes, and a second approval above an amount. May be run again.

-- Why refunds are asked for, as administrators keep the list. Requests keep the words as they were, so a reason is
-- switched off and never deleted.
CREATE TABLE IF NOT EXISTS refund_reason (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 2000),
    position integer NOT NULL,
    in_use boolean NOT NULL DEFAULT true
);
CREATE UNIQUE INDEX IF NOT EXISTS refund_reason_text ON refund_reason (lower(reason));
INSERT INTO refund_reason (reason, position)
SELECT listed.reason, listed.position
FROM unnest(ARRAY['Accidental purchase', 'Duplicate order', 'Product does not work', 'Not as described',
    'Bought the wrong product', 'Renewal not wanted', 'Price or discount missing', 'Licence not received',
    'Suspected fraud', 'Other']) WITH ORDINALITY AS listed (reason, position)
WHERE NOT EXISTS (SELECT FROM refund_reason);

ALTER TABLE refund_reason ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS jobs ON refund_reason;
CREATE POLICY jobs ON refund_reason TO esupport_jobs USING (true) WITH CHECK (true);
DROP POLICY IF EXISTS everybody ON refund_reason;
CREATE POLICY everybody ON refund_reason FOR SELECT TO esupport_app USING ((SELECT viewer_role()) IS NOT NULL);
DROP POLICY IF EXISTS administrator_adds ON refund_reason;
CREATE POLICY administrator_adds ON refund_reason FOR INSERT TO esupport_app
    WITH CHECK ((SELECT viewer_role()) = 'administrator');
DROP POLICY IF EXISTS administrator_changes ON refund_reason;
CREATE POLICY administrator_changes ON refund_reason FOR UPDATE TO esupport_app
    USING ((SELECT viewer_role()) = 'administrator');
GRANT SELECT, INSERT, UPDATE, DELETE ON refund_reason TO esupport_jobs;
GRANT SELECT, INSERT (reason, position, in_use), UPDATE (reason, position, in_use) ON refund_reason TO esupport_app;

ALTER TABLE refund_request
    DROP CONSTRAINT IF EXISTS refund_request_reason_id_fkey,
    ADD CONSTRAINT refund_request_reason_id_fkey FOREIGN KEY (reason_id) REFERENCES refund_reason NOT VALID,
    DROP CONSTRAINT IF EXISTS refund_request_decided_by_fkey,
    ADD CONSTRAINT refund_request_decided_by_fkey FOREIGN KEY (decided_by) REFERENCES account ON DELETE SET NULL NOT VALID,
    DROP CONSTRAINT IF EXISTS refund_request_approved_by_fkey,
    ADD CONSTRAINT refund_request_approved_by_fkey FOREIGN KEY (approved_by) REFERENCES account ON DELETE SET NULL NOT VALID;
ALTER TABLE refund_request
    VALIDATE CONSTRAINT refund_request_reason_id_fkey,
    VALIDATE CONSTRAINT refund_request_decided_by_fkey,
    VALIDATE CONSTRAINT refund_request_approved_by_fkey;
GRANT INSERT (reason_id, proposal), UPDATE (decision, decided_by, decided_by_name, decided_at, approved_by,
    approved_by_name, approved_at, sent_back_by_name) ON refund_request TO esupport_app;
GRANT UPDATE (refund_four_eyes, refund_approval_limits) ON checkout_page TO esupport_app;

-- Whether a refund of this sum needs a second operator now. What was given back of the order before counts, so that
-- nobody gets below the limit by parts. `limits` maps currencies to amounts, "*" stands for the others; where a store
-- has limits, the limit of a currency that they leave out is zero.
CREATE OR REPLACE FUNCTION refund_needs_approval(of_order bigint, in_currency text, asked numeric) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT p.refund_approval_limits IS NOT NULL AND asked + coalesce((SELECT sum(r.amount) FROM refund_request r
            WHERE r.order_id = of_order AND r.status = 'completed' AND r.currency = in_currency), 0)
        > coalesce((p.refund_approval_limits ->> in_currency)::numeric, (p.refund_approval_limits ->> '*')::numeric, 0)
    FROM orders o JOIN checkout_page p ON p.id = o.checkout_page_id
    WHERE o.order_id = of_order AND (viewer_id() IS NULL OR o.checkout_page_id = ANY (viewer_page_ids()))
$$;
REVOKE ALL ON FUNCTION refund_needs_approval(bigint, text, numeric) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION refund_needs_approval(bigint, text, numeric) TO esupport_app, esupport_jobs;

-- Lines of a refund in a form in which equal ones are equal.
CREATE OR REPLACE FUNCTION refund_lines(items jsonb) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT jsonb_agg(jsonb_build_array((i ->> 'position')::integer, i ->> 'quantity', trim_scale((i ->> 'amount')::numeric))
        ORDER BY (i ->> 'position')::integer)
    FROM jsonb_array_elements(items) i
$$;
REVOKE ALL ON FUNCTION refund_lines(jsonb) FROM PUBLIC;

-- The last word on who may give money back, whatever way it is tried: `request` as it is at that moment, and the refund
-- as a decision describes it.
CREATE OR REPLACE FUNCTION check_refund_eyes(request refund_request, refund jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
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
END $$;
REVOKE ALL ON FUNCTION check_refund_eyes(refund_request, jsonb) FROM PUBLIC;

-- A decision says who made it, an approval who gave it, and neither is taken over from somebody else. Jobs carry out
-- what was checked when it was recorded.
CREATE OR REPLACE FUNCTION check_refund_decision() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
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
END $$;
REVOKE ALL ON FUNCTION check_refund_decision() FROM PUBLIC;
DROP TRIGGER IF EXISTS refund_request_decided ON refund_request;
CREATE TRIGGER refund_request_decided BEFORE UPDATE ON refund_request FOR EACH ROW
    EXECUTE FUNCTION check_refund_decision();

-- A refund that is recorded for a shop or a provider is given back by the worker: the same is asked before.
CREATE OR REPLACE FUNCTION check_recorded_refund() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
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
END $$;
REVOKE ALL ON FUNCTION check_recorded_refund() FROM PUBLIC;
DROP TRIGGER IF EXISTS awaited_action_eyes ON awaited_action;
CREATE TRIGGER awaited_action_eyes BEFORE INSERT ON awaited_action FOR EACH ROW WHEN (NEW.kind = 'refund')
    EXECUTE FUNCTION check_recorded_refund();
