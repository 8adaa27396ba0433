-- The sums of refunds: columns first, then what can be told of earlier refunds, then the rules (0015_refund_rules.sql).
-- A line has a quantity and an amount of its own: today the whole line's, so that a part of a line fits in later.

ALTER TABLE refund_request
    ADD COLUMN IF NOT EXISTS amount numeric,
    ADD COLUMN IF NOT EXISTS currency text;
ALTER TABLE refund_request_item
    ADD COLUMN IF NOT EXISTS amount numeric,
    ADD COLUMN IF NOT EXISTS quantity integer;

-- How many decimals amounts of a currency have, as services.money knows it.
CREATE OR REPLACE FUNCTION currency_decimals(code text) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN code IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV',
            'XAF', 'XOF', 'XPF', 'BYR') THEN 0
        WHEN code IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
        ELSE 2 END;
REVOKE ALL ON FUNCTION currency_decimals(text) FROM PUBLIC;

-- Each line's share of its order's total: services.refund_sums in SQL, for the refunds of before this version alone.
-- Whole numbers throughout, so that no remainder is compared after a rounding.
CREATE OR REPLACE FUNCTION line_shares(of_order bigint) RETURNS TABLE ("position" integer, share numeric)
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH money AS (
        SELECT o.total, greatest(currency_decimals(o.currency), scale(trim_scale(o.total))) AS digits
        FROM orders o WHERE o.order_id = of_order
    ), line AS (
        SELECT i."position", CASE WHEN bool_or(i.amount > 0) OVER () THEN greatest(i.amount, 0) ELSE 1 END AS weight
        FROM order_item i
        WHERE i.order_id = of_order AND (i.amount >= 0
            OR NOT EXISTS (SELECT FROM order_item j WHERE j.order_id = of_order AND j.amount >= 0))
    ), scaled AS (
        SELECT l."position", m.digits, m.total * 10::numeric ^ m.digits AS units,
            l.weight * 10::numeric ^ max(scale(l.weight)) OVER () AS weight
        FROM line l, money m
    ), parted AS (
        SELECT s."position", s.digits, s.units,
            div(round(s.units) * round(s.weight), sum(round(s.weight)) OVER ()) AS whole,
            mod(round(s.units) * round(s.weight), sum(round(s.weight)) OVER ()) AS remainder
        FROM scaled s
    ), ranked AS (
        SELECT p.*, row_number() OVER (ORDER BY p.remainder DESC, p."position") AS place,
            round(p.units) - sum(p.whole) OVER () AS missing
        FROM parted p
    )
    SELECT r."position", trim_scale((r.whole + CASE WHEN r.place <= r.missing THEN 1 ELSE 0 END)
        / 10::numeric ^ r.digits)
    FROM ranked r
$$;
REVOKE ALL ON FUNCTION line_shares(bigint) FROM PUBLIC;
