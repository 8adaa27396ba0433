CREATE OR REPLACE FUNCTION public.begin_own_attempt(from_network text)
 RETURNS uuid
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    INSERT INTO sign_in_attempt (kind, account_id, credentials_version, network, state)
    SELECT 'own', id, credentials_version, from_network, 'right' FROM account WHERE id = viewer_id()
    RETURNING id
$function$;
