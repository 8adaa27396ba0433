-- What administrators may do with connections on the Administration page.

-- A secret is written with the audit row of who wrote it, and never read back: the app's role reads every column but
-- `secret`. When the older one ends is changed by the same rotation.
CREATE POLICY administrator ON connection_secret FOR SELECT TO esupport_app
    USING ((SELECT viewer_role()) = 'administrator');
CREATE POLICY added ON connection_secret FOR INSERT TO esupport_app
    WITH CHECK ((SELECT viewer_role()) = 'administrator');
CREATE POLICY changed ON connection_secret FOR UPDATE TO esupport_app
    USING ((SELECT viewer_role()) = 'administrator');
GRANT SELECT (id, connection_id, purpose, created_at, valid_until, is_test), INSERT (connection_id, purpose, secret),
    UPDATE (valid_until) ON connection_secret TO esupport_app;

-- Deliveries go with their connection; one that is in use is switched off first.
CREATE POLICY removed ON connection FOR DELETE TO esupport_app
    USING ((SELECT viewer_role()) = 'administrator' AND switched_off_at IS NOT NULL);
GRANT DELETE ON connection TO esupport_app;

-- Whoever switches a connection on, or corrects its address, has put its trouble right.
GRANT UPDATE (trouble, trouble_since, paused_until) ON connection TO esupport_app;

-- Beside the scope by store: an administrator's list need not look at each delivery's event.
CREATE POLICY administrator ON delivery FOR SELECT TO esupport_app
    USING ((SELECT viewer_role()) = 'administrator');

-- Whoever may do an action may stop waiting for its answer, and nothing else: answers are the jobs'.
CREATE POLICY stopped ON awaited_action FOR UPDATE TO esupport_app
    USING (
        checkout_page_id = ANY ((SELECT viewer_page_ids())::integer[]) AND state IN ('recorded', 'sent')
        AND CASE kind WHEN 'refund' THEN (SELECT viewer_may_work_refunds()) ELSE (SELECT viewer_may_act()) END
    )
    WITH CHECK (state = 'not delivered');
GRANT UPDATE (state, answered_at, message) ON awaited_action TO esupport_app;

-- The lists of messages by state, newest first, and their counts.
CREATE INDEX inbox_states ON inbox (connection_id, state, id DESC);
CREATE INDEX delivery_states ON delivery (connection_id, state, id DESC);
-- Asked at every click of an administrator: which connections are in trouble.
CREATE INDEX connection_trouble ON connection (id) WHERE trouble IS NOT NULL OR switched_off_at IS NOT NULL;
