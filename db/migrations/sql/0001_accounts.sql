-- Who may use the portal, and which stores they see.

CREATE TABLE checkout_page (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
    title text CHECK (length(title) <= 200),
    delivery_allowed boolean NOT NULL DEFAULT true,
    refund_again_after_partial boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE account (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL CHECK (length(email) BETWEEN 3 AND 320 AND position('@' IN email) > 1),
    email_key text GENERATED ALWAYS AS (fold(email)) STORED UNIQUE,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    role text NOT NULL CHECK (role IN ('specialist', 'analyst', 'refund_operator', 'administrator')),
    all_stores boolean NOT NULL DEFAULT false,
    password_hash text NOT NULL,
    must_change_password boolean NOT NULL DEFAULT true,
    failed_sign_ins integer NOT NULL DEFAULT 0 CHECK (failed_sign_ins >= 0),
    locked_until timestamptz,
    disabled_at timestamptz,
    time_zone text CHECK (length(time_zone) <= 64),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- One row a signed-in browser. Only a digest of the cookie's token is kept.
CREATE TABLE account_session (
    token_digest bytea PRIMARY KEY CHECK (length(token_digest) = 32),
    account_id integer NOT NULL REFERENCES account ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_because text CHECK (ended_because IN ('signed out', 'password changed', 'disabled', 'reset')),
    address text,
    CHECK ((ended_at IS NULL) = (ended_because IS NULL))
);
CREATE INDEX account_session_account ON account_session (account_id) WHERE ended_at IS NULL;

CREATE TABLE team (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 100),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE team_member (
    team_id integer NOT NULL REFERENCES team ON DELETE CASCADE,
    account_id integer NOT NULL REFERENCES account ON DELETE CASCADE,
    PRIMARY KEY (team_id, account_id)
);
CREATE INDEX team_member_account ON team_member (account_id);
CREATE TABLE team_page (
    team_id integer NOT NULL REFERENCES team ON DELETE CASCADE,
    checkout_page_id integer NOT NULL REFERENCES checkout_page ON DELETE CASCADE,
    PRIMARY KEY (team_id, checkout_page_id)
);
CREATE TABLE account_page (
    account_id integer NOT NULL REFERENCES account ON DELETE CASCADE,
    checkout_page_id integer NOT NULL REFERENCES checkout_page ON DELETE CASCADE,
    PRIMARY KEY (account_id, checkout_page_id)
);

-- Keys of the portal itself, such as the one that signs cookies; made on first use, the same for every replica.
CREATE TABLE portal_secret (
    name text PRIMARY KEY,
    value bytea NOT NULL CHECK (length(value) >= 32)
);

CREATE TABLE saved_search (
    key text PRIMARY KEY CHECK (key ~ '^[A-Za-z0-9_-]{10,40}$'),
    account_id integer NOT NULL REFERENCES account ON DELETE CASCADE,
    filters_digest bytea NOT NULL,
    filters jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_opened_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, filters_digest)
);

-- Rows are only ever added; order_id and account_id are no foreign keys, so that the record outlives both.
CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    account_id integer,
    account_email text,
    action text NOT NULL CHECK (length(action) BETWEEN 1 AND 64),
    order_id bigint,
    address text,
    succeeded boolean NOT NULL DEFAULT true,
    details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_at ON audit_log (at DESC, id DESC);
CREATE INDEX audit_log_account ON audit_log (account_id, at DESC);
CREATE INDEX audit_log_order ON audit_log (order_id, at DESC) WHERE order_id IS NOT NULL;
