CREATE OR REPLACE FUNCTION public.set_order_filter_keys()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    NEW.payment_method_key := public.filter_key(NEW.payment_method);
    NEW.country_key := public.filter_key(NEW.country);
    NEW.total_key := public.amount_key(NEW.total);
    RETURN NEW;
END $function$;
