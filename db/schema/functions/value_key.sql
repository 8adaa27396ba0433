CREATE OR REPLACE FUNCTION public.value_key(kind text, value text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN CASE kind WHEN 'phone'::text THEN digits(value) WHEN 'email'::text THEN email_key(without_invisible(value)) WHEN 'vat'::text THEN NULLIF(regexp_replace(fold(without_invisible(value)), '[\s[:punct:]]+'::text, ''::text, 'g'::text), ''::text) ELSE NULLIF(btrim(regexp_replace(fold(without_invisible(value)), '[\s[:punct:]]+'::text, ' '::text, 'g'::text)), ''::text) END;
