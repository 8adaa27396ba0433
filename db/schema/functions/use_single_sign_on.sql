CREATE OR REPLACE FUNCTION public.use_single_sign_on(answer bytea)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    INSERT INTO single_sign_on_use (digest) VALUES (answer) ON CONFLICT DO NOTHING;
    RETURN FOUND;
END $function$;
