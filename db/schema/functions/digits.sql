CREATE OR REPLACE FUNCTION public.digits(value text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (octet_length(value) = length(value)) THEN NULLIF(regexp_replace(value, '[^0-9]'::text, ''::text, 'g'::text), ''::text) ELSE digits_unicode(value) END;
