-- How far each export is. Nothing of what was searched for, or found, is in it.

CREATE TABLE export_run (
    id uuid PRIMARY KEY,
    account_id integer NOT NULL REFERENCES account ON DELETE CASCADE,
    row_kind text NOT NULL CHECK (row_kind IN ('order', 'item')),
    format text NOT NULL CHECK (format IN ('csv', 'xlsx')),
    state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'cancelled', 'failed')),
    started_at timestamptz NOT NULL DEFAULT now(),
    touched_at timestamptz NOT NULL DEFAULT now(),  -- about once a second while somebody sends it
    finished_at timestamptz,
    rows_estimated bigint CHECK (rows_estimated >= 0),  -- null until it is known
    is_exact boolean NOT NULL DEFAULT false,            -- counted, and not the planner's guess
    rows_sent bigint NOT NULL DEFAULT 0 CHECK (rows_sent >= 0),
    bytes_sent bigint NOT NULL DEFAULT 0 CHECK (bytes_sent >= 0),
    cancel_requested boolean NOT NULL DEFAULT false,
    refusal text CHECK (length(refusal) <= 300),  -- why it was not made, in a sentence
    CHECK ((state = 'running') = (finished_at IS NULL))
);
CREATE INDEX export_run_account ON export_run (account_id);
ALTER TABLE export_run ENABLE ROW LEVEL SECURITY;
CREATE POLICY jobs ON export_run TO esupport_jobs USING (true) WITH CHECK (true);
CREATE POLICY own ON export_run TO esupport_app
    USING (account_id = (SELECT viewer_id()) AND (SELECT viewer_role()) IS NOT NULL);
GRANT SELECT, INSERT (id, account_id, row_kind, format),
    UPDATE (state, touched_at, finished_at, rows_estimated, is_exact, rows_sent, bytes_sent, cancel_requested, refusal)
    ON export_run TO esupport_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON export_run TO esupport_jobs;
