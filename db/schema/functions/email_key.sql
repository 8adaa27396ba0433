CREATE OR REPLACE FUNCTION public.email_key(value text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN ((octet_length(value) = length(value)) AND (strpos(lower((value COLLATE "C")), 'xn--'::text) = 0)) THEN fold(value) ELSE email_key_unicode(value) END;
