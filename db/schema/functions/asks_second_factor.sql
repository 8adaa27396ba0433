CREATE OR REPLACE FUNCTION public.asks_second_factor(attempt uuid)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    SELECT coalesce((SELECT a.totp_secret IS NOT NULL AND NOT s.provider_factor
        FROM sign_in_attempt s JOIN account a ON a.id = s.account_id WHERE s.id = attempt AND s.state = 'right'), false)
$function$;
