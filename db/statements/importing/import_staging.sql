-- `only_item`: the document is about its one item and leaves all that it does not have. `stays`: it is older than what the
-- order's row says, which stays as it is. `sums_up`: the order's total is the sum of its items.

-- One batch of order documents on its way in. COPY into a table with row-level security is refused by
-- PostgreSQL, so documents land here first. No constraints: those of the real tables have the last word.

CREATE TEMP TABLE IF NOT EXISTS stage_order (
    order_id bigint, checkout_page_id integer, known boolean, only_item boolean, stays boolean, sums_up boolean, only_store boolean, order_name text, order_id_1c text, status text,
    created_at timestamptz, paid_at timestamptz, currency text, total numeric, locale text, detail_url text,
    customer_type text, country text, email text, first_name text, last_name text, phone text, vat_number text,
    company_name text, company_billing_address text, company_delivery_address text, customer_erased boolean,
    payment_method text, payment_system_name text, card_type text, card_last_4 text, card_expiration_date text,
    payment_provider text, payment_reference text,
    additional_parameters jsonb, delivered boolean, active_subscription boolean, cancelled_subscription boolean,
    source_updated_at timestamptz, source_digest bytea
) ON COMMIT DROP;

CREATE TEMP TABLE IF NOT EXISTS stage_item (
    order_id bigint, position integer, checkout_page_id integer, item_id text, product_id text, sku text, name text,
    price numeric, quantity integer, discount_percent numeric, discount_amount numeric, vat_amount numeric,
    amount numeric, delivery text, delivered boolean, refunded boolean, license_first_name text,
    license_last_name text, license_email text, license_erased boolean, additional_data jsonb, said_at timestamptz,
    said_alone boolean
) ON COMMIT DROP;

CREATE TEMP TABLE IF NOT EXISTS stage_code (
    order_id bigint, position integer, number integer, checkout_page_id integer, code text, deleted boolean,
    issued_at timestamptz, replaced_at timestamptz
) ON COMMIT DROP;

CREATE TEMP TABLE IF NOT EXISTS stage_subscription (
    order_id bigint, position integer, checkout_page_id integer, subscription_id text, type text, said_status text,
    status text, parent_order_id bigint, period text, next_renewal_at timestamptz,
    changed_at timestamptz, changed_by text, change_reason text
) ON COMMIT DROP;

CREATE TEMP TABLE IF NOT EXISTS stage_document (
    order_id bigint, number integer, checkout_page_id integer, name text, kind text, media_type text, content bytea
) ON COMMIT DROP;

-- The document that an event is about, if any, by name and kind: it has no id yet.
CREATE TEMP TABLE IF NOT EXISTS stage_history (
    order_id bigint, number integer, checkout_page_id integer, at timestamptz, kind text, text text,
    document_name text, document_kind text
) ON COMMIT DROP;

CREATE TEMP TABLE IF NOT EXISTS stage_relation (
    order_id bigint, related_order_id bigint, relation text, checkout_page_id integer
) ON COMMIT DROP;

-- Items that stay although the document has them no more.
CREATE TEMP TABLE IF NOT EXISTS stage_kept (order_id bigint, position integer) ON COMMIT DROP;

-- Which word counts for each subscription of the batch. `portal_status` is set where the shop's sets it aside.
CREATE TEMP TABLE IF NOT EXISTS stage_word (
    checkout_page_id integer, subscription_id text, status text, changed_at timestamptz, changed_by text,
    change_reason text, shop_status text, shop_at timestamptz, shop_order_id bigint, portal_status text
) ON COMMIT DROP;
