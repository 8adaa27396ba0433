CREATE OR REPLACE FUNCTION public.password_reset_email(digest bytea)
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    SELECT a.email FROM password_reset r JOIN account a ON a.id = r.account_id
    WHERE r.token_digest = digest AND r.used_at IS NULL AND r.expires_at > now() AND a.disabled_at IS NULL
        AND r.credentials_version = a.credentials_version
$function$;
