CREATE OR REPLACE FUNCTION public.refund_lines(items jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    SELECT jsonb_agg(jsonb_build_array((i ->> 'position')::integer, i ->> 'quantity', trim_scale((i ->> 'amount')::numeric))
        ORDER BY (i ->> 'position')::integer)
    FROM jsonb_array_elements(items) i
$function$;
