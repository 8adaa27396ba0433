CREATE OR REPLACE FUNCTION public.has_changed_credentials(of_account integer)
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    SELECT EXISTS (SELECT FROM audit_log WHERE account_id = of_account AND at >= transaction_timestamp()
        AND action IN ('change password', 'reset password', 'second factor on', 'second factor off',
            'use recovery code', 'repeat code'))
$function$;
