CREATE OR REPLACE FUNCTION public.filter_key(value text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
DECLARE
    key text := public.fold(value);
BEGIN
    RETURN CASE WHEN octet_length(key) <= 2000 THEN key END;
END $function$;
