CREATE OR REPLACE FUNCTION public.saved_search_texts()
 RETURNS TABLE(key text, field text, value text)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    PERFORM check_may_erase();
    RETURN QUERY SELECT s.key, t.path[cardinality(t.path)], t.value FROM saved_search s, json_strings(s.filters) t
        WHERE t.path[cardinality(t.path)] NOT IN ('zone', 'order_ids', 'activation_code', 'subscription');
END $function$;
