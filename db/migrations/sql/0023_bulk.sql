-- Actions on many orders at once: a run and its orders. The worker carries them out, one transaction per order, with the
-- rights that the account has at that moment.

CREATE TABLE bulk_run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key uuid NOT NULL DEFAULT gen_random_uuid(),  -- the orders' request keys are derived from it
    account_id integer NOT NULL REFERENCES account ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN
        ('request refund', 'resend licences', 'cancel renewal', 'resume renewal', 'add note', 'cancel unpaid order')),
    entered_text text CHECK (length(entered_text) <= 20000),  -- the reason or the note; emptied when the run ends
    address text,  -- where it was started from, for the audit log
    order_count integer NOT NULL CHECK (order_count > 0),
    state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'stopped', 'ended')),
    stop_requested boolean NOT NULL DEFAULT false,
    ended_because text CHECK (length(ended_because) <= 300),  -- why the portal ended it, in a sentence
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CHECK ((state = 'running') = (finished_at IS NULL)),
    CHECK (state = 'running' OR entered_text IS NULL),
    CHECK ((state = 'ended') = (ended_because IS NOT NULL))
);
CREATE INDEX bulk_run_account ON bulk_run (account_id, id);
CREATE INDEX bulk_run_running ON bulk_run (id) WHERE state = 'running';

CREATE TABLE bulk_run_order (
    run_id bigint NOT NULL REFERENCES bulk_run ON DELETE CASCADE,
    number integer NOT NULL CHECK (number > 0),
    order_id bigint NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'refused', 'failed')),
    reason text CHECK (length(reason) <= 300),  -- a sentence of the program, without values of the customer
    attempts smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    settled_at timestamptz,
    PRIMARY KEY (run_id, number),
    UNIQUE (run_id, order_id),
    CHECK ((state = 'waiting') = (settled_at IS NULL))
);
CREATE INDEX bulk_run_order_waiting ON bulk_run_order (run_id, attempts, number) WHERE state = 'waiting';

ALTER TABLE bulk_run ENABLE ROW LEVEL SECURITY;
ALTER TABLE bulk_run_order ENABLE ROW LEVEL SECURITY;
CREATE POLICY jobs ON bulk_run TO esupport_jobs USING (true) WITH CHECK (true);
CREATE POLICY jobs ON bulk_run_order TO esupport_jobs USING (true) WITH CHECK (true);
CREATE POLICY own ON bulk_run TO esupport_app
    USING (account_id = (SELECT viewer_id()) AND (SELECT viewer_may_act()));
CREATE POLICY own ON bulk_run_order TO esupport_app USING (run_id IN (SELECT r.id FROM bulk_run r));
GRANT SELECT, INSERT (account_id, kind, entered_text, address, order_count), UPDATE (stop_requested)
    ON bulk_run TO esupport_app;
GRANT SELECT, INSERT (run_id, number, order_id, state, reason, settled_at) ON bulk_run_order TO esupport_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON bulk_run, bulk_run_order TO esupport_jobs;

CREATE TRIGGER bulk_run_wakes AFTER INSERT ON bulk_run FOR EACH STATEMENT EXECUTE FUNCTION wake_worker();

-- The worker acts for the account of a run: the viewer of this transaction is that account, as it is now, in no session.
-- Returns its role; NULL when the run is over or the account is disabled, and then the transaction has no viewer.
CREATE FUNCTION become_for_run(run bigint) RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    owner record;
    words text;
BEGIN
    SELECT a.id, a.role INTO owner
    FROM bulk_run r JOIN account a ON a.id = r.account_id
    WHERE r.id = run AND r.state = 'running' AND a.disabled_at IS NULL;
    IF NOT FOUND THEN
        PERFORM set_config('esupport.viewer', '', true);
        RETURN NULL;
    END IF;
    words := owner.id || ' 0 stands';  -- no session has the number 0
    PERFORM set_config('esupport.viewer', words || ' ' || viewer_mark(words), true);
    RETURN owner.role;
END $function$;
REVOKE ALL ON FUNCTION become_for_run(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION become_for_run(bigint) TO esupport_jobs;
