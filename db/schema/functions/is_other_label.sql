CREATE OR REPLACE FUNCTION public.is_other_label(label text, order_id bigint)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (ltrim(digits(label), '0'::text) IS DISTINCT FROM (order_id)::text);
