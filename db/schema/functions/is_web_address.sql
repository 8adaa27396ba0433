CREATE OR REPLACE FUNCTION public.is_web_address(address text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
    SELECT address ~ ('^https?://(\[[0-9A-Fa-f:.]+\]|[^\s.:/?#@\[\]\\%<>"^`{|}][^\s:/?#@\[\]\\%<>"^`{|}]*)'
            || '(:[0-9]{0,5})?([/?#].*)?$')
        AND address !~ ('[\u0001-\u0020\u007f-\u00a0\u00ad\u061c\u1680\u180e\u2000-\u200b\u200e\u200f\u2028-\u202f'
            || '\u205f-\u206f\u3000\ufeff\ufff9-\ufffb<>"\\]')
        AND (address ~ '^https?://\[' OR normalize(substring(address FROM '^https?://([^:/?#]*)'), NFKC)
            !~ '[\s/?#@\[\]\\%<>"^`{|}:]')
$function$;
