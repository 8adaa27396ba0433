-- What people do to orders.

CREATE TABLE payment_method (
    name text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 200),
    refund_document_required boolean NOT NULL DEFAULT false
);

CREATE TABLE refund_request (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL,
    checkout_page_id integer NOT NULL,
    status text NOT NULL DEFAULT 'requested' CHECK (status IN ('requested', 'updating', 'completed', 'refused')),
    result text CHECK (result IN ('full', 'partial', 'refused', 'failed')),
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 20000),
    requested_by integer REFERENCES account ON DELETE SET NULL,
    requester_name text NOT NULL,
    requester_email text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    taken_by integer REFERENCES account ON DELETE SET NULL,
    taken_by_name text,
    taken_at timestamptz,
    closed_by integer REFERENCES account ON DELETE SET NULL,
    closed_by_name text,
    closed_at timestamptz,
    note text CHECK (length(note) <= 20000),
    delete_codes boolean NOT NULL DEFAULT false,
    stop_subscriptions boolean NOT NULL DEFAULT false,
    document_id bigint REFERENCES order_document ON DELETE SET NULL,
    FOREIGN KEY (order_id, checkout_page_id) REFERENCES orders (order_id, checkout_page_id)
        ON UPDATE CASCADE ON DELETE CASCADE,
    CHECK ((status IN ('completed', 'refused')) = (closed_at IS NOT NULL)),
    CHECK ((status = 'completed' AND result IN ('full', 'partial'))
        OR (status = 'refused' AND result IN ('refused', 'failed'))
        OR (status IN ('requested', 'updating') AND result IS NULL)),
    CHECK (status <> 'updating' OR taken_at IS NOT NULL)
);
CREATE UNIQUE INDEX refund_request_one_open ON refund_request (order_id) WHERE status IN ('requested', 'updating');
CREATE INDEX refund_request_order ON refund_request (order_id, id DESC);
CREATE INDEX refund_request_queue ON refund_request (checkout_page_id, requested_at)
    WHERE status IN ('requested', 'updating');
CREATE INDEX refund_request_mine ON refund_request (requested_by, requested_at DESC);

CREATE TABLE refund_request_item (
    refund_request_id bigint NOT NULL REFERENCES refund_request ON DELETE CASCADE,
    order_id bigint NOT NULL,
    position integer NOT NULL,
    checkout_page_id integer NOT NULL,
    PRIMARY KEY (refund_request_id, position),
    FOREIGN KEY (order_id, checkout_page_id) REFERENCES orders (order_id, checkout_page_id)
        ON UPDATE CASCADE ON DELETE CASCADE
);

-- The key that a dialog made when it opened: the same button pressed twice acts once.
CREATE TABLE action_key (
    key uuid PRIMARY KEY,
    account_id integer NOT NULL REFERENCES account ON DELETE CASCADE,
    action text NOT NULL,
    order_id bigint,
    at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE mail (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id text NOT NULL UNIQUE,
    kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
    to_address text,
    subject text NOT NULL CHECK (length(subject) <= 1000 AND subject !~ '[\r\n]'),
    text_body text NOT NULL,
    html_body text,
    order_id bigint,
    checkout_page_id integer,
    account_id integer REFERENCES account ON DELETE SET NULL,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sending', 'sent', 'failed')),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    claimed_at timestamptz,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    FOREIGN KEY (order_id, checkout_page_id) REFERENCES orders (order_id, checkout_page_id)
        ON UPDATE CASCADE ON DELETE CASCADE,
    CHECK ((order_id IS NULL) = (checkout_page_id IS NULL)),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL))
);
CREATE INDEX mail_due ON mail (next_attempt_at) WHERE state IN ('queued', 'sending');
CREATE INDEX mail_order ON mail (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX mail_log ON mail (created_at DESC, id DESC);
