CREATE OR REPLACE FUNCTION public.customer_document(key uuid, document bigint)
 RETURNS TABLE(name text, media_type text, content bytea)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    SELECT d.name, d.media_type, d.content FROM order_document d JOIN orders o ON o.order_id = d.order_id
    WHERE o.page_key = key AND NOT o.customer_erased AND d.id = document
$function$;
