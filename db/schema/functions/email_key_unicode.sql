CREATE OR REPLACE FUNCTION public.email_key_unicode(value text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
DECLARE
    address text := public.strip_edges(value);
    at integer := length(address) - strpos(reverse(address), '@') + 1;
BEGIN
    IF at > length(address) THEN
        RETURN public.fold(address);
    END IF;
    RETURN coalesce(public.fold(left(address, at - 1)), '') || '@' || public.domain_key(substr(address, at + 1));
END $function$;
