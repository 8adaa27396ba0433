CREATE OR REPLACE FUNCTION public.erase_messages(ids bigint[], bodies bytea[])
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    changed bigint;
BEGIN
    PERFORM check_may_erase();
    -- One that has been settled in between has no use for its body either.
    UPDATE inbox i SET body = CASE WHEN i.state = 'waiting' THEN v.body END,
        state = CASE WHEN i.state = 'waiting' AND v.body IS NULL THEN 'refused' ELSE i.state END,
        settled_at = CASE WHEN i.state = 'waiting' AND v.body IS NULL THEN now() ELSE i.settled_at END,
        reason = CASE WHEN i.state = 'waiting' AND v.body IS NULL
            THEN 'The customer''s data was deleted before this message was merged.' ELSE i.reason END
    FROM unnest(ids, bodies) v(id, body) WHERE i.id = v.id;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END $function$;
