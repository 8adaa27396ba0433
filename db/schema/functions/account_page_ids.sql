CREATE OR REPLACE FUNCTION public.account_page_ids(of_account integer)
 RETURNS integer[]
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    RETURN (SELECT coalesce(array_agg(p.id), '{}')
        FROM checkout_page p, account a
        WHERE a.id = of_account AND a.disabled_at IS NULL AND (
            a.role = 'administrator' OR a.all_stores
            OR EXISTS (SELECT FROM account_page g WHERE g.account_id = a.id AND g.checkout_page_id = p.id)
            OR EXISTS (SELECT FROM team_member m JOIN team_page g USING (team_id)
                WHERE m.account_id = a.id AND g.checkout_page_id = p.id)));
END $function$;
