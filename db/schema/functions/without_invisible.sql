CREATE OR REPLACE FUNCTION public.without_invisible(value text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (octet_length(value) = length(value)) THEN value ELSE regexp_replace(NORMALIZE(value, NFKC), '[\u00AD\u200B-\u200F\u2060-\u2064\uFEFF]'::text, ''::text, 'g'::text) END;
