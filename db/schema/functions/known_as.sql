CREATE OR REPLACE FUNCTION public.known_as(of_account integer, device bytea, from_network text)
 RETURNS bytea
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    SELECT d.device_digest FROM known_device d
    WHERE d.account_id = of_account AND d.device_digest IN (device, network_device(from_network))
    ORDER BY d.device_digest = device DESC NULLS LAST LIMIT 1
$function$;
