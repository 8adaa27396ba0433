CREATE OR REPLACE FUNCTION public.refuse_web_address()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    RAISE EXCEPTION 'detail_url is not a web address that may become a link'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_detail_url_check', TABLE = 'orders';
END $function$;
