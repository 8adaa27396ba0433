CREATE OR REPLACE FUNCTION public.digests_of(kinds text[], texts text[])
 RETURNS TABLE(kind text, value text, key text, words smallint, digest bytea)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    SELECT g.kind, g.value, k.key, cardinality(string_to_array(k.key, ' '))::smallint,
        sha256(o.value || sha256(i.value || convert_to(g.kind || ':' || k.key, 'UTF8')))
    FROM unnest(kinds, texts) g(kind, value)
    CROSS JOIN LATERAL (SELECT value_key(g.kind, g.value) AS key OFFSET 0) k, portal_secret i, portal_secret o
    WHERE g.value IS NOT NULL AND i.name = 'known values, inner' AND o.name = 'known values, outer' AND k.key IS NOT NULL
$function$;
