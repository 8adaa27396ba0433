-- E-mails are compared as e-mails. The key becomes an ordinary column that a trigger fills: the expression of a generated
-- column cannot be changed without rewriting the table.
CREATE OR REPLACE FUNCTION set_email_key() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    NEW.email_key := public.email_key(NEW.email);
    RETURN NEW;
END $$;
ALTER TABLE orders ALTER COLUMN email_key DROP EXPRESSION IF EXISTS;
CREATE OR REPLACE TRIGGER orders_email_key BEFORE INSERT OR UPDATE OF email ON orders
    FOR EACH ROW EXECUTE FUNCTION set_email_key();
ALTER TABLE account ALTER COLUMN email_key DROP EXPRESSION IF EXISTS;
CREATE OR REPLACE TRIGGER account_email_key BEFORE INSERT OR UPDATE OF email ON account
    FOR EACH ROW EXECUTE FUNCTION set_email_key();

-- Accounts whose addresses differ only at their edges have been two until now. The oldest keeps the address; the others
-- stay as they are, and nobody signs in to them until an administrator has seen to it.
UPDATE account SET email_key = CASE WHEN made_again.number = 1 THEN made_again.key
    ELSE made_again.key || ' (account ' || account.id || ')' END
FROM (
    SELECT id, email_key(email) AS key, row_number() OVER (PARTITION BY email_key(email) ORDER BY id) AS number
    FROM account
) made_again
WHERE made_again.id = account.id AND made_again.key IS DISTINCT FROM account.email_key;

-- Whatever looks an account up by its address compares it so. The functions stay what they are otherwise.
DO $$
DECLARE
    found oid;
BEGIN
    FOR found IN SELECT p.oid FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.prosrc LIKE '%email\_key = fold(login)%'
    LOOP
        EXECUTE replace(pg_get_functiondef(found), 'email_key = fold(login)', 'email_key = email_key(login)');
    END LOOP;
END $$;

-- Whether the digits of a name are not the order's ID: "#1001" of order 5551, but not A0012345678 of order 12345678. Only
-- such names are in an index of their own; all others are found by their digits.
CREATE OR REPLACE FUNCTION is_other_label(label text, order_id bigint) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ltrim(digits(label), '0') IS DISTINCT FROM order_id::text;

CREATE OR REPLACE FUNCTION is_plain_number(label text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN label ~ '^[0-9]+$';

-- The viewer's orders that were asked for by what is shown of them: the name, the 1C number, the ID. Each element of the
-- arrays is one piece of what was typed, with its number, with the longer token that it was cut from, and with the whole
-- line (NULL where they are the same): a name may hold a space or a stroke. The longest that is a name or a 1C number
-- counts; where nothing is, the number does. A piece of digits alone is both a name and a number.
CREATE OR REPLACE FUNCTION orders_asked_for(lines text[], tokens text[], pieces text[], numbers bigint[])
    RETURNS TABLE (piece bigint, order_id bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
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
END $$;

REVOKE ALL ON FUNCTION set_email_key(), is_other_label(text, bigint), is_plain_number(text),
    orders_asked_for(text[], text[], text[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION is_other_label(text, bigint), is_plain_number(text) TO esupport_app, esupport_jobs;
GRANT EXECUTE ON FUNCTION orders_asked_for(text[], text[], text[], bigint[]) TO esupport_app;
