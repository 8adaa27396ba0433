CREATE OR REPLACE FUNCTION public.viewer_mark(words text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    key bytea;
BEGIN
    SELECT value INTO key FROM portal_secret WHERE name = 'viewer';
    RETURN encode(sha256(substr(key, 65) || sha256(substr(key, 1, 64)
        || convert_to(words || ' ' || extract(epoch FROM transaction_timestamp())::text, 'UTF8'))), 'hex');
END $function$;
