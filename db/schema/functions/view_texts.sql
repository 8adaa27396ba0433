CREATE OR REPLACE FUNCTION public.view_texts()
 RETURNS TABLE(id integer, field text, value text)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    PERFORM check_may_erase();
    RETURN QUERY SELECT v.id, t.path[cardinality(t.path)], t.value FROM order_view v, json_strings(v.filters) t
        WHERE t.path[cardinality(t.path)] NOT IN ('zone', 'order_ids', 'activation_code', 'subscription')
        UNION ALL SELECT v.id, 'name', v.name FROM order_view v;
END $function$;
