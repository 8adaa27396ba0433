CREATE OR REPLACE FUNCTION public.json_strings(given jsonb)
 RETURNS TABLE(path text[], value text)
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    WITH RECURSIVE inside(path, value) AS (
        SELECT '{}'::text[], given
        UNION ALL
        SELECT i.path || c.key, c.value FROM inside i CROSS JOIN LATERAL (
            SELECT e.key, e.value FROM jsonb_each(CASE jsonb_typeof(i.value) WHEN 'object' THEN i.value END) e
            UNION ALL
            SELECT (a.n - 1)::text, a.value
            FROM jsonb_array_elements(CASE jsonb_typeof(i.value) WHEN 'array' THEN i.value END)
                WITH ORDINALITY a(value, n)) c
    )
    SELECT path, value #>> '{}' FROM inside WHERE jsonb_typeof(value) = 'string'
$function$;
