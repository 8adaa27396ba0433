CREATE OR REPLACE FUNCTION public.fold(value text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (octet_length(value) = length(value)) THEN NULLIF(lower((btrim(value, '	
 '::text) COLLATE "C")), ''::text) ELSE fold_unicode(value) END;
