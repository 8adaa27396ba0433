CREATE OR REPLACE FUNCTION public.settle_erased_mail()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    IF OLD.state <> 'queued' THEN
        NEW.state := OLD.state;
    ELSIF EXISTS (SELECT FROM mail_handover h WHERE h.mail_id = OLD.id AND h.at >= OLD.queued_at) THEN
        NEW.state := 'queued';
        NEW.last_error := 'The customer''s data was deleted while the mail server was being given this message.';
    ELSE
        NEW.state := 'failed';
        NEW.last_error := 'Taken back: the customer''s data was deleted.';
    END IF;
    RETURN NEW;
END $function$;
