CREATE OR REPLACE FUNCTION public.is_plain_number(label text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (label ~ '^[0-9]+$'::text);
