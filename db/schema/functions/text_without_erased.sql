CREATE OR REPLACE FUNCTION public.text_without_erased(of_order bigint, given text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    pattern text;
    plain text;
BEGIN
    IF given IS NULL OR NOT EXISTS (SELECT FROM known_value k WHERE k.order_id = of_order AND k.erased) THEN
        RETURN given;
    END IF;
    plain := normalize(given, NFC);
    WITH sizes AS (
        SELECT DISTINCT k.kind, k.words FROM known_value k
        WHERE k.order_id = of_order AND k.erased AND k.kind NOT IN ('email', 'phone')
            AND (k.words > 1 OR EXISTS (SELECT FROM orders o WHERE o.order_id = of_order AND o.customer_erased)
                OR EXISTS (SELECT FROM order_item i WHERE i.order_id = of_order AND i.license_erased))
    ), word AS (
        SELECT n, m[1] AS word FROM regexp_matches(plain, '[[:alnum:]]+', 'g') WITH ORDINALITY g(m, n)
    ), try AS (
        SELECT 'email' AS kind, rtrim(m[1], '.!?') AS value
        FROM regexp_matches(plain, '([^\s<>"''(),;:]+@[^\s<>"''(),;:]+)', 'g') m
        UNION SELECT 'phone', m[1] FROM regexp_matches(plain, '(\+?\d[\d\s().\-/]{3,}\d)', 'g') m
        UNION SELECT s.kind, (SELECT string_agg(w.word, ' ' ORDER BY w.n) FROM word w
            WHERE w.n BETWEEN f.n AND f.n + s.words - 1) FROM sizes s, word f
    )
    SELECT string_agg(DISTINCT replace(quoted, ' ', '[^[:alnum:]]{1,6}'), '|')
    INTO pattern
    FROM digests_of(array(SELECT t.kind FROM try t WHERE length(t.value) > 1),
        array(SELECT t.value FROM try t WHERE length(t.value) > 1)) d
    CROSS JOIN LATERAL (SELECT regexp_replace(d.value, '([][\\.^$*+?(){}|-])', '\\\1', 'g') AS quoted) q
    WHERE EXISTS (SELECT FROM known_value k
        WHERE k.order_id = of_order AND k.erased AND k.kind = d.kind AND k.digest = d.digest);
    IF pattern IS NULL THEN
        RETURN given;
    END IF;
    RETURN regexp_replace(plain, '(?<![[:alnum:]])(' || pattern || ')(?![[:alnum:]])', 'deleted', 'gi');
END $function$;
