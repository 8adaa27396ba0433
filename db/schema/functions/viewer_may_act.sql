CREATE OR REPLACE FUNCTION public.viewer_may_act()
 RETURNS boolean
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN COALESCE((viewer_role() = ANY (ARRAY['specialist'::text, 'refund_operator'::text, 'administrator'::text])), false);
