CREATE OR REPLACE FUNCTION public.orders_asked_for(lines text[], tokens text[], pieces text[], numbers bigint[])
 RETURNS TABLE(piece bigint, order_id bigint)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    scope constant integer[] := viewer_page_ids();
BEGIN
    -- By far the most common: numbers alone, one per line or too many for a name. Names and 1C numbers of digits alone
    -- whose order has another ID are few, and in small indexes of their own.
    IF cardinality(array_remove(lines, NULL)) = 0 AND cardinality(array_remove(tokens, NULL)) = 0
        AND (SELECT bool_and(is_plain_number(p.piece)) FROM unnest(pieces) AS p (piece))
    THEN
        RETURN QUERY
        SELECT n.number_of, n.number FROM unnest(numbers) WITH ORDINALITY AS n (number, number_of)
        WHERE n.number IS NOT NULL;
        RETURN QUERY
        SELECT array_position(pieces, fold(o.order_name))::bigint, o.order_id FROM orders o
        WHERE fold(o.order_name) = ANY (pieces) AND is_other_label(o.order_name, o.order_id)
            AND o.checkout_page_id = ANY (scope);
        RETURN QUERY
        SELECT array_position(pieces, fold(o.order_id_1c))::bigint, o.order_id FROM orders o
        WHERE fold(o.order_id_1c) = ANY (pieces) AND is_plain_number(o.order_id_1c)
            AND o.checkout_page_id = ANY (scope);
        RETURN;
    END IF;
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT a.number_of, fold(a.line) AS line, fold(a.token) AS token, fold(a.piece) AS piece, a.number
        FROM unnest(lines, tokens, pieces, numbers) WITH ORDINALITY AS a (line, token, piece, number, number_of)
    ), labels AS MATERIALIZED (
        SELECT DISTINCT l.label FROM asked a, unnest(ARRAY[a.line, a.token, a.piece]) AS l (label)
        WHERE l.label IS NOT NULL
    ), named AS MATERIALIZED (
        SELECT l.label, o.order_id FROM labels l JOIN orders o ON fold(o.order_name) = l.label
        WHERE is_other_label(o.order_name, o.order_id) AND o.checkout_page_id = ANY (scope)
        UNION
        SELECT l.label, o.order_id FROM labels l JOIN orders o ON fold(o.order_id_1c) = l.label
        WHERE o.order_id_1c IS NOT NULL AND o.checkout_page_id = ANY (scope) AND NOT is_plain_number(l.label)
        UNION
        SELECT l.label, o.order_id FROM labels l JOIN orders o ON fold(o.order_id_1c) = l.label
        WHERE is_plain_number(o.order_id_1c) AND o.checkout_page_id = ANY (scope) AND is_plain_number(l.label)
    )
    SELECT a.number_of, n.order_id FROM asked a JOIN named n ON n.label = a.line
    UNION
    SELECT a.number_of, n.order_id FROM asked a JOIN named n ON n.label = a.token
    WHERE a.line IS NULL OR NOT EXISTS (SELECT FROM named longer WHERE longer.label = a.line)
    UNION
    SELECT a.number_of, coalesce(n.order_id, a.number) FROM asked a
    LEFT JOIN named n ON n.label = a.piece
    WHERE coalesce(n.order_id, a.number) IS NOT NULL
        AND NOT EXISTS (SELECT FROM named longer WHERE longer.label = a.line OR longer.label = a.token)
    UNION
    SELECT a.number_of, a.number FROM asked a
    WHERE a.number IS NOT NULL AND is_plain_number(a.piece)
        AND NOT EXISTS (SELECT FROM named longer WHERE longer.label = a.line OR longer.label = a.token);
END $function$;
