-- What the app's role may change, and for whom: until here it only reads. Each table gets a policy of its own for each
-- command, so that a right to see is never a right to change, whatever a service forgets.

CREATE FUNCTION viewer_may_act() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(viewer_role() IN ('specialist', 'refund_operator', 'administrator'), false);

CREATE FUNCTION viewer_may_work_refunds() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(viewer_role() IN ('refund_operator', 'administrator'), false);

-- A dialog's key also keeps what was answered, so that the same button pressed twice hears the same sentence twice.
ALTER TABLE action_key ADD COLUMN answer text;

-- Until when a document of the shop is older than what a specialist has typed.
ALTER TABLE orders ADD COLUMN email_corrected_at timestamptz;

-- A mail is queued, sent or failed; while it is being sent its row is locked. A day is counted from queued_at.
ALTER TABLE mail
    DROP CONSTRAINT mail_state_check,
    DROP COLUMN claimed_at,
    ADD CHECK (state IN ('queued', 'sent', 'failed')),
    ADD COLUMN queued_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN to_name text,
    ADD COLUMN position integer,
    ADD COLUMN number integer,
    ADD CHECK ((position IS NULL) = (number IS NULL));
DROP INDEX IF EXISTS mail_due;
CREATE INDEX mail_due ON mail (next_attempt_at, id) WHERE state = 'queued';

-- One row while a mail server has been given a message and has not answered yet. A row that is left over means that
-- a worker ended in that instant, and that nobody knows whether the message arrived.
CREATE TABLE mail_handover (
    mail_id bigint PRIMARY KEY REFERENCES mail ON DELETE CASCADE,
    at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE mail_handover ENABLE ROW LEVEL SECURITY;
CREATE POLICY jobs ON mail_handover TO esupport_jobs USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON mail_handover TO esupport_jobs;

DO $$
DECLARE
    name text;
    scope constant text := 'checkout_page_id = ANY ((SELECT viewer_page_ids())::integer[])';
    may_act constant text := '(SELECT viewer_may_act())';
    may_refund constant text := '(SELECT viewer_may_work_refunds())';
BEGIN
    FOREACH name IN ARRAY ARRAY['orders', 'order_item', 'activation_code', 'subscription', 'subscription_event',
        'order_document', 'order_history', 'order_relation', 'refund_request', 'refund_request_item']
    LOOP
        EXECUTE format('DROP POLICY scope ON %I', name);
        EXECUTE format('CREATE POLICY scope ON %I FOR SELECT TO esupport_app USING (%s)', name, scope);
    END LOOP;
    DROP POLICY scope ON checkout_page;
    CREATE POLICY scope ON checkout_page FOR SELECT TO esupport_app
        USING (id = ANY ((SELECT viewer_page_ids())::integer[]));

    FOREACH name IN ARRAY ARRAY['orders', 'subscription'] LOOP
        EXECUTE format('CREATE POLICY act ON %I FOR UPDATE TO esupport_app USING (%s AND %s)', name, scope, may_act);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['order_item', 'activation_code', 'refund_request'] LOOP
        EXECUTE format('CREATE POLICY refund ON %I FOR UPDATE TO esupport_app USING (%s AND %s)',
            name, scope, may_refund);
    END LOOP;

    -- What is added says who added it.
    EXECUTE format('CREATE POLICY added ON subscription_event FOR INSERT TO esupport_app '
        'WITH CHECK (%s AND %s AND account_id = (SELECT viewer_id()))', scope, may_act);
    EXECUTE format('CREATE POLICY added ON order_history FOR INSERT TO esupport_app '
        'WITH CHECK (%s AND %s AND account_id = (SELECT viewer_id()) AND source = ''portal'')', scope, may_act);
    EXECUTE format('CREATE POLICY added ON refund_request FOR INSERT TO esupport_app '
        'WITH CHECK (%s AND %s AND requested_by = (SELECT viewer_id()))', scope, may_act);
    EXECUTE format('CREATE POLICY added ON mail FOR INSERT TO esupport_app WITH CHECK (%s AND %s)', scope, may_act);
    EXECUTE format('CREATE POLICY added ON order_document FOR INSERT TO esupport_app '
        'WITH CHECK (%s AND %s AND source = ''portal'' AND kind = ''refund'')', scope, may_refund);
    EXECUTE format('CREATE POLICY added ON refund_request_item FOR INSERT TO esupport_app WITH CHECK (%s AND %s)',
        scope, may_refund);
END $$;

CREATE POLICY administrator_again ON mail FOR UPDATE TO esupport_app USING ((SELECT viewer_role()) = 'administrator');
CREATE POLICY administrator_added ON mail FOR INSERT TO esupport_app
    WITH CHECK ((SELECT viewer_role()) = 'administrator');

GRANT UPDATE (status, email, email_corrected_at) ON orders TO esupport_app;
GRANT UPDATE (refunded) ON order_item TO esupport_app;
GRANT UPDATE (deleted) ON activation_code TO esupport_app;
GRANT UPDATE (status, changed_at, changed_by, change_reason) ON subscription TO esupport_app;
GRANT INSERT (checkout_page_id, subscription_id, action, from_status, to_status, order_id, account_id, changed_by,
    reason) ON subscription_event TO esupport_app;
GRANT INSERT (order_id, checkout_page_id, kind, text, source, account_id, author, document_id)
    ON order_history TO esupport_app;
GRANT INSERT (order_id, checkout_page_id, name, kind, media_type, content, source) ON order_document TO esupport_app;
GRANT INSERT (order_id, checkout_page_id, reason, requested_by, requester_name, requester_email) ON refund_request
    TO esupport_app;
GRANT UPDATE (status, result, taken_by, taken_by_name, taken_at, closed_by, closed_by_name, closed_at, note,
    delete_codes, stop_subscriptions, document_id) ON refund_request TO esupport_app;
GRANT INSERT ON refund_request_item TO esupport_app;
GRANT INSERT (message_id, kind, to_address, to_name, subject, text_body, html_body, order_id, checkout_page_id,
    account_id, position, number) ON mail TO esupport_app;
GRANT UPDATE (state, attempts, next_attempt_at, queued_at, last_error) ON mail TO esupport_app;
GRANT UPDATE (answer) ON action_key TO esupport_app;

-- Which licence mails of these orders are still on their way. The mails themselves are for administrators.
CREATE FUNCTION waiting_licence_mails(of_orders bigint[])
    RETURNS TABLE (order_id bigint, "position" integer, number integer, queued_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT order_id, "position", number, max(queued_at) FROM mail
    WHERE order_id = ANY (of_orders) AND kind = 'licence' AND state = 'queued'
        AND checkout_page_id = ANY (viewer_page_ids())
    GROUP BY order_id, "position", number
$$;

REVOKE ALL ON FUNCTION viewer_may_act(), viewer_may_work_refunds(), waiting_licence_mails(bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION viewer_may_act(), viewer_may_work_refunds(), waiting_licence_mails(bigint[]) TO esupport_app;

-- A refused attempt of an account that was disabled a moment ago is recorded as well.
ALTER POLICY added ON audit_log WITH CHECK (account_id = (SELECT viewer_id()));
CREATE INDEX refund_request_closed ON refund_request (checkout_page_id, closed_at DESC, id DESC)
    WHERE closed_at IS NOT NULL;
