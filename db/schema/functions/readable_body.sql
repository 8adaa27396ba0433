CREATE OR REPLACE FUNCTION public.readable_body(body bytea)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    content text;
BEGIN
    BEGIN
        content := convert_from(body, 'UTF8');
    EXCEPTION WHEN OTHERS THEN
        RETURN encode(body, 'escape');
    END;
    IF position('\' IN content) = 0 THEN
        RETURN content;
    END IF;
    RETURN content::jsonb::text;
EXCEPTION WHEN OTHERS THEN
    RETURN content;
END $function$;
