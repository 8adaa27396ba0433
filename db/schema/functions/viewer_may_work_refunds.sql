CREATE OR REPLACE FUNCTION public.viewer_may_work_refunds()
 RETURNS boolean
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN COALESCE((viewer_role() = ANY (ARRAY['refund_operator'::text, 'administrator'::text])), false);
