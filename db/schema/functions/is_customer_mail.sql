CREATE OR REPLACE FUNCTION public.is_customer_mail(kind text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (kind = ANY (ARRAY['licence'::text, 'customer_refund'::text]));
