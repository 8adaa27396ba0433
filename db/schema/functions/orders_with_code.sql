CREATE OR REPLACE FUNCTION public.orders_with_code(fragment text, most integer)
 RETURNS SETOF bigint
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    SELECT order_id FROM activation_code
    WHERE code_key LIKE '%' || replace(replace(replace(fold(fragment), '\', '\\'), '%', '\%'), '_', '\_') || '%'
        AND checkout_page_id = ANY ((SELECT viewer_page_ids())::integer[])
    LIMIT most
$function$;
