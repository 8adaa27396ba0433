CREATE OR REPLACE FUNCTION public.cookie_key()
 RETURNS bytea
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    INSERT INTO portal_secret (name, value)
    SELECT 'cookie', uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
    WHERE NOT EXISTS (SELECT FROM portal_secret WHERE name = 'cookie')
    ON CONFLICT DO NOTHING;
    RETURN (SELECT value FROM portal_secret WHERE name = 'cookie');
END $function$;
