-- The orders `first` to `last` of `total`, and all that belongs to them. `span` holds these three numbers.

-- Each order: whose it is, when, and what became of it. Every twelfth renews the subscription of an earlier order whose
-- number ends in 0, and every sixtieth was bought from the page of the one before: both are their customer's and store's.
CREATE TEMP TABLE made ON COMMIT DROP AS
WITH numbered AS (
    SELECT n, total, CASE WHEN n % 12 = 5 AND n >= 25 THEN
            10 * floor(n * (0.4 + 0.5 * pg_temp.chance(n, 1)) / 10)::bigint END AS parent,
        n % 60 = 7 AND n > 60 AS is_typo, n % 60 = 6 AND n < total AND n > 60 AS has_typo,
        400 * (sqrt(1 + 3 * (n - 0.5) / total) - 1) AS day
    FROM span, generate_series(first, last) n
), owned AS (
    SELECT *, coalesce(parent, n) AS lead, coalesce(parent, CASE WHEN is_typo THEN n - 1 ELSE n END) AS whose,
        -- More at the end, and four times as many at noon as at night.
        date_trunc('second', timestamptz '2025-10-01 00:00+00' + interval '1 day'
            * (floor(day) + (day - floor(day)) + 0.6 / (2 * pi()) * sin(2 * pi() * day))) AS created_at,
        pg_temp.chance(n, 4) AS fate, pg_temp.chance(n, 5) AS refund_fate
    FROM numbered
), fated AS (
    SELECT *,
        CASE WHEN n % 10 = 0 OR fate < 0.82 THEN 'paid' WHEN fate < 0.92 OR parent IS NOT NULL THEN 'not paid'
            WHEN fate < 0.99 THEN 'deleted' ELSE 'terminated' END AS status,
        -- Few customers have many orders.
        floor(greatest(0.6 * total, 1) * pg_temp.chance(whose, 3) ^ 2)::bigint AS customer,
        CASE WHEN pg_temp.chance(whose, 2) < 0.70 THEN 1 WHEN pg_temp.chance(whose, 2) < 0.90 THEN 2
            WHEN pg_temp.chance(whose, 2) < 0.97 THEN 3 WHEN pg_temp.chance(whose, 2) < 0.995 THEN 4 ELSE 5 END AS store
    FROM owned
)
SELECT f.*, p.id AS page_id, 'A' || lpad(n::text, 10, '0') AS order_name,
    CASE WHEN status = 'paid' AND n % 10 <> 0 THEN CASE WHEN refund_fate < 0.003 THEN 'requested'
            WHEN refund_fate < 0.004 THEN 'updating' WHEN refund_fate < 0.009 THEN 'completed'
            WHEN refund_fate < 0.013 THEN 'refused' END
        WHEN status = 'deleted' AND refund_fate < 0.6 THEN 'completed' END AS refund,
    CASE WHEN status = 'paid' OR status = 'deleted' AND refund_fate < 0.6 THEN
        f.created_at + interval '30 seconds' - ln(1 - pg_temp.chance(n, 6)) * interval '20 minutes' END AS paid_at,
    pg_temp.chance(customer, 15) < 0.003 AS erased,
    CASE store WHEN 1 THEN pg_temp.pick('{EUR,EUR,EUR,EUR,CHF,PLN}', pg_temp.chance(customer, 7))
        WHEN 2 THEN pg_temp.pick('{USD,USD,USD,CAD}', pg_temp.chance(customer, 7)) WHEN 3 THEN 'JPY'
        WHEN 4 THEN 'BRL' ELSE 'GBP' END AS currency,
    pg_temp.pick(w.first_names, pg_temp.chance(customer, 10) ^ 2) AS first_name,
    CASE WHEN pg_temp.chance(customer, 9) < 0.1 THEN pg_temp.pick(w.other_last_names, pg_temp.chance(customer, 11))
        ELSE pg_temp.pick(w.beginnings, pg_temp.chance(customer, 11) ^ 1.5)
            || pg_temp.pick(w.endings, pg_temp.chance(customer, 12) ^ 1.5) END AS last_name,
    initcap(pg_temp.pick('{anna,info,kontakt,mail,shop,me,office,it,einkauf,hello}', pg_temp.chance(customer, 8)))
        || '.' || customer || '@' || pg_temp.pick(w.domains, pg_temp.chance(customer, 13) ^ 2) AS email,
    CASE WHEN pg_temp.chance(customer, 16) < 0.75 THEN pg_temp.pick(w.prefixes, pg_temp.chance(customer, 17)) || ' ('
        || 20 + customer % 80 || ') ' || 100 + customer / 80 % 900 || '-' || 10 + customer / 72000 % 90 || '-'
        || 10 + customer / 6480000 % 90 END AS phone,
    pg_temp.pick(w.countries, pg_temp.chance(customer, 17)) AS country,
    CASE WHEN pg_temp.chance(customer, 14) < 0.12 THEN pg_temp.pick(w.beginnings, pg_temp.chance(customer, 18))
        || pg_temp.pick(w.endings, pg_temp.chance(customer, 19)) || pg_temp.pick(w.forms, pg_temp.chance(customer, 20))
        END AS company,
    lpad((customer * 7919 % 1000000000)::text, 9, '0') AS vat,
    CASE WHEN pg_temp.chance(customer, 21) < 0.7 THEN 'card' WHEN pg_temp.chance(customer, 21) < 0.9 THEN 'paypal'
        ELSE 'transfer' END AS payment_method,
    lpad(floor(10000 * pg_temp.chance(customer, 22))::integer::text, 4, '0') AS card
FROM fated f CROSS JOIN words w JOIN checkout_page p ON p.name = 'bench-' || f.store;
CREATE INDEX ON made (n);

CREATE TEMP TABLE made_item ON COMMIT DROP AS
SELECT m.n, position, p.*, quantity, percent, m.page_id,
    round(unit * quantity * (100 - coalesce(percent, 0)) / 100, 2) AS amount, unit,
    m.paid_at IS NOT NULL AND pg_temp.chance(m.n * 4 + position, 33) < 0.97 AS delivered,
    coalesce(m.refund = 'completed', false) AND (m.status = 'deleted' OR position = 1) AS refunded
FROM made m
CROSS JOIN LATERAL generate_series(1, CASE WHEN m.parent IS NOT NULL OR pg_temp.chance(m.n, 30) < 0.7 THEN 1
    WHEN pg_temp.chance(m.n, 30) < 0.88 THEN 2 WHEN pg_temp.chance(m.n, 30) < 0.96 THEN 3 ELSE 4 END) position
CROSS JOIN LATERAL (SELECT
    CASE WHEN pg_temp.chance(m.n * 4 + position, 31) < 0.88 THEN 1
        ELSE 2 + floor(4 * pg_temp.chance(m.n * 4 + position, 34))::integer END AS quantity,
    CASE WHEN pg_temp.chance(m.n * 4 + position, 32) < 0.15 THEN 20 END AS percent) chosen
JOIN product p ON p.number = 1 + floor(CASE WHEN m.lead % 10 = 0 AND position = 1 THEN 8 ELSE 12 END
    * pg_temp.chance(m.lead * 4 + position, 35) ^ 1.4)::integer
CROSS JOIN LATERAL (SELECT CASE WHEN m.currency = 'JPY' THEN round(p.price * 160) ELSE p.price END AS unit) price;

CREATE TEMP TABLE made_subscription ON COMMIT DROP AS
SELECT m.n, m.page_id, m.lead, m.parent, i.renewal, i.period, m.created_at,
    CASE WHEN pg_temp.chance(m.lead, 40) < 0.72 THEN 'active' WHEN pg_temp.chance(m.lead, 40) < 0.95 THEN 'cancelled'
        ELSE 'not paid' END AS status,
    i.renewal IN ('AR', 'PMR') AND (m.paid_at IS NOT NULL OR m.parent IS NOT NULL) AS is_shown
FROM made m JOIN made_item i ON i.n = m.n AND i.position = 1
WHERE i.renewal IS NOT NULL AND (m.lead % 10 = 0 OR pg_temp.chance(m.n, 41) < 0.25);

INSERT INTO orders (order_id, checkout_page_id, order_name, order_id_1c, status, created_at, paid_at, currency, total,
    locale, page_key, customer_type, country, email, email_key, first_name, last_name, phone, vat_number, company_name,
    company_billing_address, customer_erased, payment_method, payment_system_name, card_type, card_last_4,
    card_expiration_date, additional_parameters, delivered, active_subscription, cancelled_subscription, refund_status,
    source_updated_at, payment_method_key, country_key, total_key)
SELECT m.n, m.page_id, m.order_name, 'ALS-' || m.n, m.status, m.created_at, m.paid_at, m.currency, i.total, 'en-US',
    md5('page ' || m.n)::uuid, CASE WHEN company IS NULL THEN 'physical' ELSE 'legal' END, country,
    CASE WHEN NOT erased THEN email END, CASE WHEN NOT erased THEN email_key(email) END,
    CASE WHEN NOT erased THEN first_name END,
    CASE WHEN NOT erased THEN last_name END, CASE WHEN NOT erased THEN phone END,
    CASE WHEN NOT erased AND company IS NOT NULL THEN country || vat END, CASE WHEN NOT erased THEN company END,
    CASE WHEN NOT erased AND company IS NOT NULL THEN 'Main Street ' || customer % 200 END, erased, payment_method,
    CASE payment_method WHEN 'card' THEN 'Cards, Inc.' END,
    CASE WHEN payment_method = 'card' THEN pg_temp.pick('{VISA,VISA,MASTERCARD,AMEX}', pg_temp.chance(customer, 23)) END,
    CASE WHEN payment_method = 'card' AND NOT erased THEN card END,
    CASE WHEN payment_method = 'card' AND NOT erased THEN '11/28' END,
    CASE WHEN pg_temp.chance(m.n, 42) < 0.3 THEN jsonb_build_array(
        jsonb_build_object('name', 'campaign', 'value', 'spring-' || m.n % 40),
        jsonb_build_object('name', 'partner', 'value', 'P' || m.n % 900)) ELSE '[]' END,
    i.delivered, coalesce(s.is_shown AND s.status <> 'cancelled', false),
    coalesce(s.is_shown AND s.status = 'cancelled', false), m.refund, m.created_at,
    filter_key(payment_method), filter_key(country), amount_key(i.total)
FROM made m
JOIN (SELECT n, sum(amount) AS total, bool_and(delivered) AS delivered FROM made_item GROUP BY n) i USING (n)
LEFT JOIN made_subscription s USING (n)
ORDER BY m.n;

INSERT INTO order_item (order_id, position, checkout_page_id, item_id, product_id, sku, name, price, quantity,
    discount_percent, discount_amount, vat_amount, amount, delivery, delivered, refunded, license_first_name,
    license_last_name, license_email, license_erased, additional_data, name_key, product_key, sku_key)
SELECT i.n, position, i.page_id, position::text, i.sku, i.sku, i.name, unit, quantity, percent,
    unit * quantity - amount, round(amount * 0.19, 2), amount,
    CASE WHEN i.number = 10 THEN 'physical' ELSE 'electronic' END, i.delivered, i.refunded,
    CASE WHEN named THEN m.first_name END, CASE WHEN named THEN m.last_name END, CASE WHEN named THEN m.email END,
    m.erased, CASE WHEN i.number = 12 THEN '[{"name": "seats", "value": "25"}]'::jsonb ELSE '[]' END,
    filter_key(i.name), filter_key(i.sku), filter_key(i.sku)
FROM made_item i JOIN made m USING (n)
CROSS JOIN LATERAL (SELECT NOT m.erased AND pg_temp.chance(i.n, 43) < 0.6 AS named) license
ORDER BY i.n, i.position;

-- Four groups of five, of 24 letters and 8 digits.
INSERT INTO activation_code (order_id, position, number, checkout_page_id, code, deleted)
SELECT i.n, i.position, piece, i.page_id,
    substr(letters, 1, 5) || '-' || substr(letters, 6, 5) || '-' || substr(letters, 11, 5) || '-' || substr(letters, 16, 5),
    i.refunded OR pg_temp.chance(i.n * 4 + position, 44) < 0.02
FROM made_item i JOIN made m USING (n)
CROSS JOIN LATERAL generate_series(1, least(i.quantity, 3)) piece
CROSS JOIN LATERAL (SELECT translate(upper(encode(decode(md5(i.n || '/' || position || '/' || piece), 'hex'), 'base64')),
    '01IO+/=', '2389XYZ') AS letters) code
WHERE m.paid_at IS NOT NULL AND i.number NOT IN (10, 11) AND i.delivered
ORDER BY i.n, i.position, piece;

INSERT INTO subscription (order_id, position, checkout_page_id, subscription_id, type, status, parent_order_id, period,
    next_renewal_at)
SELECT n, 1, page_id, 'S' || lpad(lead::text, 10, '0'), renewal, status, parent, period, created_at + period::interval
FROM made_subscription ORDER BY n;

INSERT INTO order_relation (order_id, related_order_id, relation, checkout_page_id)
SELECT n, parent, 'parent', page_id FROM made WHERE parent IS NOT NULL
UNION ALL SELECT n, n - 1, 'typo', page_id FROM made WHERE is_typo
UNION ALL SELECT n, n + 1, 'typo', page_id FROM made WHERE has_typo;

INSERT INTO order_document (order_id, checkout_page_id, name, kind, content, created_at)
SELECT n, page_id, name, kind, convert_to('%PDF-1.4 ' || repeat(md5(n::text), 30), 'UTF8'), created_at
FROM made CROSS JOIN LATERAL (VALUES ('invoice-' || order_name || '.pdf', 'payment'),
    ('credit-note-' || order_name || '.pdf', 'refund')) document (name, kind)
WHERE CASE kind WHEN 'payment' THEN paid_at IS NOT NULL AND pg_temp.chance(n, 45) < 0.03
    ELSE refund = 'completed' AND pg_temp.chance(n, 46) < 0.5 END
ORDER BY n;

INSERT INTO order_history (order_id, checkout_page_id, at, kind, text)
SELECT n, page_id, created_at + number * interval '70 seconds', kind, text
FROM made
CROSS JOIN LATERAL (VALUES
    (1, 'status', 'Order has been created'),
    (2, CASE WHEN paid_at IS NULL THEN 'email' ELSE 'status' END,
        CASE WHEN paid_at IS NULL THEN 'Payment reminder has been sent to ' || CASE WHEN erased THEN 'deleted' ELSE email END
            ELSE 'Payment has been received' END),
    (3, CASE WHEN parent IS NULL THEN 'email' ELSE 'subscription' END,
        CASE WHEN parent IS NULL THEN 'Confirmation has been sent to ' || CASE WHEN erased THEN 'deleted' ELSE email END
            ELSE 'Subscription of order A' || lpad(parent::text, 10, '0') || ' has been renewed' END),
    (4, 'email', 'Activation code has been sent to ' || CASE WHEN erased THEN 'deleted' ELSE email END),
    (5, 'error', 'Message was not accepted: mailbox is full'),
    (6, CASE WHEN is_typo THEN 'relation' ELSE 'status' END,
        CASE WHEN is_typo THEN 'Bought from the page of order A' || lpad((n - 1)::text, 10, '0')
            ELSE 'Order has been synchronised' END)) line (number, kind, text)
WHERE number <= 2 + floor(5 * pg_temp.chance(n, 47)) OR parent IS NOT NULL AND number <= 4 OR is_typo
ORDER BY n, number;

INSERT INTO refund_request (order_id, checkout_page_id, status, result, reason, requester_name, requester_email,
    requested_at, taken_by_name, taken_at, closed_by_name, closed_at, reason_key)
SELECT n, page_id, refund,
    CASE refund WHEN 'completed' THEN CASE status WHEN 'deleted' THEN 'full' ELSE 'partial' END
        WHEN 'refused' THEN CASE WHEN n % 3 = 0 THEN 'failed' ELSE 'refused' END END,
    'The customer does not need it any more.', 'Bench', 'bench@bench.example', at,
    CASE WHEN refund <> 'requested' THEN 'Operator' END, CASE WHEN refund <> 'requested' THEN at + interval '1 hour' END,
    CASE WHEN refund IN ('completed', 'refused') THEN 'Operator' END,
    CASE WHEN refund IN ('completed', 'refused') THEN at + interval '1 day' END,
    filter_key('The customer does not need it any more.')
FROM made CROSS JOIN LATERAL (SELECT created_at + interval '3 days' AS at) asked
WHERE refund IS NOT NULL ORDER BY n;
