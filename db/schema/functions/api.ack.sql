CREATE OR REPLACE FUNCTION api.ack(id uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    UPDATE outbox_event e SET acknowledged_at = now() WHERE e.id = ack.id AND e.acknowledged_at IS NULL;
    RETURN FOUND;
END $function$;
