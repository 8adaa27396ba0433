CREATE OR REPLACE FUNCTION public.end_unbound_sessions()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    UPDATE account SET credentials_version = credentials_version + 1 WHERE id = OLD.account_id;
    UPDATE account_session SET ended_at = now(), ended_because = 'ended'
    WHERE account_id = OLD.account_id AND single_sign_on AND ended_at IS NULL;
    RETURN NULL;
END $function$;
