-- Connections of a store to a shop, a payment provider or a help desk: what comes in, what goes out, and which word counts.

-- `key` is the random part of the connection's address and names the store; a body never does. `topics` are what is sent
-- out; with `confirms`, actions of these topics hold at "sent" until the shop has answered.
CREATE TABLE connection (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    checkout_page_id integer NOT NULL REFERENCES checkout_page,
    -- webhooks, noventiq, help desk, or the name of a payment provider, as orders name it.
    kind text NOT NULL CHECK (kind ~ '^[a-z][a-z0-9 _-]{0,29}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    key text NOT NULL UNIQUE CHECK (key ~ '^c_[A-Za-z0-9_-]{22}$'),
    out_url text CHECK (length(out_url) BETWEEN 1 AND 2000),
    topics text[] NOT NULL DEFAULT '{}'
        CHECK (topics <@ ARRAY['refunds', 'subscriptions', 'licences', 'customers', 'orders']),
    confirms boolean NOT NULL DEFAULT false,
    options jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(options) = 'object'),
    rate_per_minute integer NOT NULL DEFAULT 6000 CHECK (rate_per_minute BETWEEN 1 AND 1000000),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by integer REFERENCES account ON DELETE SET NULL,
    last_received_at timestamptz,
    last_delivered_at timestamptz,
    trouble text CHECK (length(trouble) BETWEEN 1 AND 1000),
    trouble_since timestamptz,
    switched_off_at timestamptz,
    switched_off_because text CHECK (length(switched_off_because) BETWEEN 1 AND 300),
    paused_until timestamptz,  -- as the other side asked for by Retry-After
    reported_at timestamptz,  -- when administrators were last mailed about it
    CHECK ((trouble IS NULL) = (trouble_since IS NULL)),
    CHECK ((switched_off_at IS NULL) = (switched_off_because IS NULL))
);
CREATE INDEX connection_store ON connection (checkout_page_id);

-- Out of the app role's reach: the pages are told a secret once, by the service that makes it. Two of one purpose are
-- valid during a rotation, until `valid_until` of the older one.
CREATE TABLE connection_secret (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection_id integer NOT NULL REFERENCES connection ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('in', 'out', 'api')),
    secret text NOT NULL CHECK (length(secret) BETWEEN 1 AND 1000),
    created_at timestamptz NOT NULL DEFAULT now(),
    valid_until timestamptz,
    -- Stripe names the mode in the key: sk_test_…, rk_test_….
    is_test boolean NOT NULL GENERATED ALWAYS AS (secret ~ '^[a-z]+_test_') STORED
);
CREATE INDEX connection_secret_of ON connection_secret (connection_id, purpose);

-- What arrived. `connection_id` is NULL for what a shop's database put in through api.put_order. `body` is the raw bytes,
-- removed when the row ends (30 days) or its person is deleted. A row's order is known once it was looked at.
CREATE TABLE inbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection_id integer REFERENCES connection ON DELETE CASCADE,
    event_id text NOT NULL CHECK (length(event_id) BETWEEN 1 AND 300),
    type text NOT NULL CHECK (length(type) BETWEEN 1 AND 100),
    order_id bigint,
    occurred_at timestamptz,
    received_at timestamptz NOT NULL DEFAULT now(),
    body bytea CHECK (octet_length(body) <= 1048576),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'applied', 'unchanged', 'ignored', 'refused')),
    field text CHECK (length(field) <= 300),
    reason text CHECK (length(reason) <= 1000),
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz,
    CHECK ((state = 'waiting') = (settled_at IS NULL)),
    UNIQUE NULLS NOT DISTINCT (connection_id, event_id)
);
CREATE INDEX inbox_waiting ON inbox (id) WHERE state = 'waiting';
CREATE INDEX inbox_waiting_order ON inbox (order_id, id) WHERE state = 'waiting';
CREATE INDEX inbox_order ON inbox (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX inbox_received ON inbox (connection_id, received_at DESC, id DESC);

-- What goes out: one row per event, written in the transaction of the action that causes it. `data` holds IDs and amounts
-- and nothing personal. `id` is the webhook's id; `seq` the order in which events were written.
CREATE TABLE outbox_event (
    id uuid PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    type text NOT NULL CHECK (length(type) BETWEEN 1 AND 100),
    action_id uuid NOT NULL,
    order_id bigint NOT NULL,
    checkout_page_id integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    data jsonb NOT NULL CHECK (jsonb_typeof(data) = 'object'),
    acknowledged_at timestamptz,  -- by api.ack
    FOREIGN KEY (order_id, checkout_page_id) REFERENCES orders (order_id, checkout_page_id)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX outbox_event_order ON outbox_event (order_id, seq);
CREATE INDEX outbox_event_unacknowledged ON outbox_event (seq) WHERE acknowledged_at IS NULL;

-- One row per event and connection. In the order of each order's own events: a later one waits for an earlier one.
CREATE TABLE delivery (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL REFERENCES outbox_event ON DELETE CASCADE,
    connection_id integer NOT NULL REFERENCES connection ON DELETE CASCADE,
    order_id bigint NOT NULL,
    seq bigint NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    last_status integer,
    last_error text CHECK (length(last_error) <= 1000),
    settled_at timestamptz,
    CHECK ((state = 'waiting') = (settled_at IS NULL)),
    UNIQUE (event_id, connection_id)
);
CREATE INDEX delivery_due ON delivery (connection_id, next_attempt_at, id) WHERE state = 'waiting';
CREATE INDEX delivery_waiting_order ON delivery (connection_id, order_id, seq) WHERE state = 'waiting';
CREATE INDEX delivery_of_connection ON delivery (connection_id, id DESC);

-- An action that the shop or a provider has to confirm before it counts. `wish` is what is carried out then: the
-- positions, the sum, the note, as they were confirmed in the dialog.
CREATE TABLE awaited_action (
    id uuid PRIMARY KEY,  -- the action_id of the event
    connection_id integer REFERENCES connection ON DELETE SET NULL,
    order_id bigint NOT NULL,
    checkout_page_id integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('cancel subscription', 'resume subscription', 'refund')),
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 300),  -- the subscription's ID, the request's number
    state text NOT NULL DEFAULT 'recorded'
        CHECK (state IN ('recorded', 'sent', 'confirmed', 'refused', 'not delivered')),
    wish jsonb NOT NULL CHECK (jsonb_typeof(wish) = 'object'),
    account_id integer REFERENCES account ON DELETE SET NULL,
    account_name text NOT NULL,
    account_email text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    begun_at timestamptz,  -- the first request to an executor's provider; a later one may be a repetition
    sent_at timestamptz,
    answered_at timestamptz,
    message text CHECK (length(message) <= 1000),
    external_id text CHECK (length(external_id) <= 300),
    amount numeric CHECK (amount >= 0),
    CHECK ((state IN ('confirmed', 'refused', 'not delivered')) = (answered_at IS NOT NULL)),
    FOREIGN KEY (order_id, checkout_page_id) REFERENCES orders (order_id, checkout_page_id)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE UNIQUE INDEX awaited_action_open ON awaited_action (checkout_page_id, kind, subject)
    WHERE state IN ('recorded', 'sent');
CREATE INDEX awaited_action_order ON awaited_action (order_id, recorded_at);
CREATE INDEX awaited_action_waiting ON awaited_action (connection_id, recorded_at) WHERE state IN ('recorded', 'sent');

-- What refunds take of the sum that a store may pay back in a day, written and committed before the provider is called.
CREATE TABLE refund_reservation (
    action_id uuid PRIMARY KEY,
    checkout_page_id integer NOT NULL REFERENCES checkout_page,
    reserved_at timestamptz NOT NULL DEFAULT now(),
    currency text NOT NULL CHECK (length(currency) = 3),
    amount numeric NOT NULL CHECK (amount >= 0)
);
CREATE INDEX refund_reservation_store ON refund_reservation (checkout_page_id, reserved_at);

DO $$
DECLARE
    name text;
    scope constant text := 'checkout_page_id = ANY ((SELECT viewer_page_ids())::integer[])';
    administers constant text := '(SELECT viewer_role()) = ''administrator''';
    may_act constant text := '(SELECT viewer_may_act())';
BEGIN
    FOREACH name IN ARRAY ARRAY['connection', 'connection_secret', 'inbox', 'outbox_event', 'delivery', 'awaited_action',
        'refund_reservation']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY jobs ON %I TO esupport_jobs USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO esupport_jobs', name);
    END LOOP;
    -- Who acts on an order has to know which connection its store has, and what became of its actions.
    EXECUTE format('CREATE POLICY scope ON connection FOR SELECT TO esupport_app USING (%s)', scope);
    EXECUTE format('CREATE POLICY scope ON outbox_event FOR SELECT TO esupport_app USING (%s)', scope);
    EXECUTE format('CREATE POLICY scope ON awaited_action FOR SELECT TO esupport_app USING (%s)', scope);
    EXECUTE format('CREATE POLICY scope ON refund_reservation FOR SELECT TO esupport_app USING (%s)', scope);
    EXECUTE format('CREATE POLICY scope ON delivery FOR SELECT TO esupport_app USING (EXISTS (SELECT FROM outbox_event e '
        'WHERE e.id = event_id))');
    EXECUTE format('CREATE POLICY administrator ON inbox FOR SELECT TO esupport_app USING (%s)', administers);
    EXECUTE format('CREATE POLICY added ON outbox_event FOR INSERT TO esupport_app WITH CHECK (%s AND %s)', scope, may_act);
    EXECUTE format('CREATE POLICY added ON delivery FOR INSERT TO esupport_app WITH CHECK (%s)', may_act);
    EXECUTE format('CREATE POLICY added ON awaited_action FOR INSERT TO esupport_app '
        'WITH CHECK (%s AND %s AND account_id = (SELECT viewer_id()))', scope, may_act);
    EXECUTE format('CREATE POLICY administered ON connection FOR INSERT TO esupport_app WITH CHECK (%s)', administers);
    EXECUTE format('CREATE POLICY changed ON connection FOR UPDATE TO esupport_app USING (%s)', administers);
    EXECUTE format('CREATE POLICY changed ON inbox FOR UPDATE TO esupport_app USING (%s)', administers);
    EXECUTE format('CREATE POLICY changed ON delivery FOR UPDATE TO esupport_app USING (%s)', administers);
END $$;
GRANT SELECT ON connection, inbox, outbox_event, delivery, awaited_action, refund_reservation TO esupport_app;
GRANT INSERT (checkout_page_id, kind, name, key, out_url, topics, confirms, options, rate_per_minute, created_by),
    UPDATE (name, out_url, topics, confirms, options, rate_per_minute, switched_off_at, switched_off_because)
    ON connection TO esupport_app;
GRANT UPDATE (state, attempts, next_attempt_at, settled_at, field, reason) ON inbox TO esupport_app;
GRANT UPDATE (state, attempts, next_attempt_at, settled_at) ON delivery TO esupport_app;
GRANT INSERT (id, type, action_id, order_id, checkout_page_id, data) ON outbox_event TO esupport_app;
GRANT INSERT (event_id, connection_id, order_id, seq) ON delivery TO esupport_app;
GRANT INSERT (id, connection_id, order_id, checkout_page_id, kind, subject, wish, account_id, account_name, account_email)
    ON awaited_action TO esupport_app;

-- Wakes the worker; it looks by itself as well, every second.
CREATE FUNCTION wake_worker() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM pg_notify('esupport_work', TG_TABLE_NAME);
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION wake_worker() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wake_worker() TO esupport_app, esupport_jobs;
CREATE TRIGGER inbox_wakes AFTER INSERT ON inbox FOR EACH STATEMENT EXECUTE FUNCTION wake_worker();
CREATE TRIGGER delivery_wakes AFTER INSERT ON delivery FOR EACH STATEMENT EXECUTE FUNCTION wake_worker();
CREATE TRIGGER mail_wakes AFTER INSERT ON mail FOR EACH STATEMENT EXECUTE FUNCTION wake_worker();
