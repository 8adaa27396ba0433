-- The orders and what belongs to them. Every table that belongs to an order repeats the order's checkout
-- page, tied by a foreign key that follows it: so one cheap condition scopes each of them.

CREATE TABLE orders (
    order_id bigint PRIMARY KEY CHECK (order_id > 0),
    checkout_page_id integer NOT NULL REFERENCES checkout_page,
    order_name text NOT NULL CHECK (length(order_name) BETWEEN 1 AND 64),
    order_id_1c text CHECK (length(order_id_1c) <= 64),
    status text NOT NULL CHECK (status IN ('not paid', 'paid', 'deleted', 'terminated')),
    created_at timestamptz NOT NULL CHECK (created_at > '1970-01-01' AND created_at < '2201-01-01'),
    paid_at timestamptz CHECK (paid_at > '1970-01-01' AND paid_at < '2201-01-01'),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    total numeric NOT NULL CHECK (total >= 0 AND total < 1e15),
    locale text,
    detail_url text CHECK (detail_url ~ '^https?://'),
    page_key uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,

    customer_type text CHECK (customer_type IN ('physical', 'legal')),
    country text,
    email text,
    first_name text,
    last_name text,
    phone text,
    vat_number text,
    company_name text,
    company_billing_address text,
    company_delivery_address text,
    customer_erased boolean NOT NULL DEFAULT false,

    payment_method text,
    payment_system_name text,
    card_type text,
    card_last_4 text CHECK (card_last_4 ~ '^[0-9]{4}$'),
    card_expiration_date text,

    additional_parameters jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(additional_parameters) = 'array'),

    -- What the items, subscriptions and refund requests add up to; kept by triggers, so that a search by
    -- them reads one row an order.
    delivered boolean NOT NULL DEFAULT false,
    active_subscription boolean NOT NULL DEFAULT false,
    cancelled_subscription boolean NOT NULL DEFAULT false,
    refund_status text CHECK (refund_status IN ('requested', 'updating', 'completed', 'refused')),

    -- Of the document that was read last.
    source_updated_at timestamptz,
    source_digest bytea,
    imported_at timestamptz NOT NULL DEFAULT now(),

    email_key text GENERATED ALWAYS AS (fold(email)) STORED,
    first_name_key text GENERATED ALWAYS AS (fold(first_name)) STORED,
    last_name_key text GENERATED ALWAYS AS (fold(last_name)) STORED,
    company_key text GENERATED ALWAYS AS (fold(company_name)) STORED,
    vat_key text GENERATED ALWAYS AS (fold(vat_number)) STORED,
    phone_key text GENERATED ALWAYS AS (digits(phone)) STORED,

    UNIQUE (order_id, checkout_page_id),
    CHECK (status <> 'paid' OR paid_at IS NOT NULL),
    CHECK (NOT customer_erased OR num_nonnulls(email, first_name, last_name, phone, vat_number, company_name,
        company_billing_address, company_delivery_address, card_last_4, card_expiration_date) = 0)
);

-- Newest first within a store is how every result is read; each searched key has an index that ends in it.
CREATE INDEX orders_newest ON orders (checkout_page_id, created_at DESC, order_id DESC);
CREATE INDEX orders_paid ON orders (checkout_page_id, paid_at) WHERE paid_at IS NOT NULL;
CREATE INDEX orders_status ON orders (checkout_page_id, status, created_at DESC, order_id DESC);
CREATE INDEX orders_refund ON orders (checkout_page_id, refund_status, created_at DESC, order_id DESC)
    WHERE refund_status IS NOT NULL;
CREATE INDEX orders_email ON orders (checkout_page_id, email_key, created_at DESC, order_id DESC)
    WHERE email_key IS NOT NULL;
CREATE INDEX orders_first_name ON orders (checkout_page_id, first_name_key, created_at DESC, order_id DESC)
    WHERE first_name_key IS NOT NULL;
CREATE INDEX orders_last_name ON orders (checkout_page_id, last_name_key, created_at DESC, order_id DESC)
    WHERE last_name_key IS NOT NULL;
CREATE INDEX orders_company ON orders (checkout_page_id, company_key, created_at DESC, order_id DESC)
    WHERE company_key IS NOT NULL;
CREATE INDEX orders_vat ON orders (checkout_page_id, vat_key, created_at DESC, order_id DESC)
    WHERE vat_key IS NOT NULL;
CREATE INDEX orders_phone ON orders (checkout_page_id, phone_key, created_at DESC, order_id DESC)
    WHERE phone_key IS NOT NULL;
CREATE INDEX orders_card ON orders (checkout_page_id, card_last_4, created_at DESC, order_id DESC)
    WHERE card_last_4 IS NOT NULL;

CREATE TABLE order_item (
    order_id bigint NOT NULL,
    position integer NOT NULL CHECK (position > 0),
    checkout_page_id integer NOT NULL,
    item_id text NOT NULL,
    product_id text,
    sku text,
    name text NOT NULL,
    price numeric NOT NULL CHECK (price >= 0 AND price < 1e15),
    quantity integer NOT NULL CHECK (quantity >= 1),
    discount_percent numeric CHECK (discount_percent BETWEEN 0 AND 100),
    discount_amount numeric CHECK (discount_amount >= 0),
    vat_amount numeric CHECK (vat_amount >= 0),
    amount numeric NOT NULL CHECK (amount >= 0 AND amount < 1e15),
    delivery text CHECK (delivery IN ('electronic', 'physical')),
    delivered boolean NOT NULL DEFAULT false,
    refunded boolean NOT NULL DEFAULT false,
    license_first_name text,
    license_last_name text,
    license_email text,
    license_erased boolean NOT NULL DEFAULT false,
    additional_data jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(additional_data) = 'array'),
    PRIMARY KEY (order_id, position),
    UNIQUE (order_id, item_id),
    FOREIGN KEY (order_id, checkout_page_id) REFERENCES orders (order_id, checkout_page_id)
        ON UPDATE CASCADE ON DELETE CASCADE,
    CHECK (NOT license_erased OR num_nonnulls(license_first_name, license_last_name, license_email) = 0)
);

CREATE TABLE activation_code (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL,
    position integer NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    checkout_page_id integer NOT NULL,
    code text NOT NULL CHECK (length(code) BETWEEN 1 AND 2000),
    deleted boolean NOT NULL DEFAULT false,
    code_key text GENERATED ALWAYS AS (fold(code)) STORED,
    UNIQUE (order_id, position, number),
    FOREIGN KEY (order_id, position) REFERENCES order_item (order_id, position) ON DELETE CASCADE,
    FOREIGN KEY (order_id, checkout_page_id) REFERENCES orders (order_id, checkout_page_id)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX activation_code_fragment ON activation_code USING gin (code_key gin_trgm_ops);

-- A subscription as an order item carries it. Items of the parent order and of its children share subscription_id.
CREATE TABLE subscription (
    order_id bigint NOT NULL,
    position integer NOT NULL,
    checkout_page_id integer NOT NULL,
    subscription_id text NOT NULL CHECK (length(subscription_id) BETWEEN 1 AND 200),
    type text NOT NULL CHECK (length(type) BETWEEN 1 AND 64),
    status text NOT NULL CHECK (status IN ('active', 'not paid', 'cancelled')),
    parent_order_id bigint CHECK (parent_order_id > 0),
    period text,
    next_renewal_at timestamptz,
    changed_at timestamptz,
    changed_by text,
    change_reason text,
    PRIMARY KEY (order_id, position),
    FOREIGN KEY (order_id, position) REFERENCES order_item (order_id, position) ON DELETE CASCADE,
    FOREIGN KEY (order_id, checkout_page_id) REFERENCES orders (order_id, checkout_page_id)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX subscription_members ON subscription (checkout_page_id, subscription_id);
CREATE INDEX subscription_parent ON subscription (parent_order_id) WHERE parent_order_id IS NOT NULL;

CREATE TABLE subscription_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    checkout_page_id integer NOT NULL REFERENCES checkout_page,
    subscription_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    action text NOT NULL CHECK (action IN ('cancel', 'resume', 'stop')),
    from_status text NOT NULL CHECK (from_status IN ('active', 'not paid', 'cancelled')),
    to_status text NOT NULL CHECK (to_status IN ('active', 'not paid', 'cancelled')),
    order_id bigint NOT NULL,
    account_id integer,
    changed_by text NOT NULL,
    reason text CHECK (length(reason) <= 2000)
);
CREATE INDEX subscription_event_of ON subscription_event (checkout_page_id, subscription_id, at DESC);

CREATE TABLE order_document (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL,
    checkout_page_id integer NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    kind text NOT NULL CHECK (kind IN ('payment', 'refund')),
    media_type text NOT NULL DEFAULT 'application/pdf' CHECK (media_type ~ '^[A-Za-z0-9_.+-]+/[A-Za-z0-9_.+-]+$'),
    content bytea NOT NULL,
    source text NOT NULL DEFAULT 'shop' CHECK (source IN ('shop', 'portal')),
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (order_id, checkout_page_id) REFERENCES orders (order_id, checkout_page_id)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX order_document_order ON order_document (order_id);

CREATE TABLE order_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL,
    checkout_page_id integer NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    kind text NOT NULL CHECK (kind IN
        ('email', 'error', 'status', 'subscription', 'relation', 'anonymization', 'document', 'note')),
    text text NOT NULL CHECK (length(text) BETWEEN 1 AND 20000),
    source text NOT NULL DEFAULT 'shop' CHECK (source IN ('shop', 'portal')),
    account_id integer,
    author text,
    document_id bigint REFERENCES order_document ON DELETE SET NULL,
    CHECK (kind <> 'note' OR author IS NOT NULL),
    FOREIGN KEY (order_id, checkout_page_id) REFERENCES orders (order_id, checkout_page_id)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX order_history_order ON order_history (order_id, at, id);

-- related_order_id is no foreign key: the other order may arrive later, or never.
CREATE TABLE order_relation (
    order_id bigint NOT NULL,
    related_order_id bigint NOT NULL CHECK (related_order_id > 0),
    relation text NOT NULL CHECK (relation IN ('typo', 'parent', 'child')),
    checkout_page_id integer NOT NULL,
    PRIMARY KEY (order_id, related_order_id, relation),
    FOREIGN KEY (order_id, checkout_page_id) REFERENCES orders (order_id, checkout_page_id)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX order_relation_related ON order_relation (related_order_id);
