CREATE OR REPLACE FUNCTION public.text_without(value text, spans jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    span jsonb;
BEGIN
    FOR span IN SELECT s FROM jsonb_array_elements(spans) s ORDER BY (s ->> 0)::integer DESC LOOP
        value := overlay(value PLACING 'deleted' FROM (span ->> 0)::integer + 1 FOR (span ->> 1)::integer);
    END LOOP;
    RETURN value;
END $function$;
