CREATE OR REPLACE FUNCTION public.set_item_filter_keys()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    NEW.name_key := public.filter_key(NEW.name);
    NEW.product_key := public.filter_key(NEW.product_id);
    NEW.sku_key := public.filter_key(NEW.sku);
    RETURN NEW;
END $function$;
