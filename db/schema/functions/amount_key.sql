CREATE OR REPLACE FUNCTION public.amount_key(amount numeric)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (floor((amount * (1000)::numeric)))::bigint;
