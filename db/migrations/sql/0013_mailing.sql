-- What can be mailed, and what the mail server was found to offer.

-- One row at most: the mail server that a worker spoke to last. Not a secret to anybody who acts; the trouble is shown
-- to administrators.
CREATE TABLE mail_server (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    address text NOT NULL CHECK (length(address) BETWEEN 1 AND 300),
    takes_utf8 boolean,
    seen_at timestamptz,
    trouble text CHECK (length(trouble) BETWEEN 1 AND 1000),
    trouble_since timestamptz,
    CHECK ((trouble IS NULL) = (trouble_since IS NULL)),
    CHECK ((takes_utf8 IS NULL) = (seen_at IS NULL))
);
ALTER TABLE mail_server ENABLE ROW LEVEL SECURITY;
CREATE POLICY jobs ON mail_server TO esupport_jobs USING (true) WITH CHECK (true);
CREATE POLICY known ON mail_server FOR SELECT TO esupport_app USING ((SELECT viewer_role()) IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON mail_server TO esupport_jobs;
GRANT SELECT ON mail_server TO esupport_app;

-- A message's day counts from the first answer that was about this message, not from when it was written: what is wrong
-- with the server or with our settings fails none. A line of the order's history that is still to be written, because
-- somebody held the order, is added by the worker as soon as the order is free.
ALTER TABLE mail
    ADD COLUMN refused_since timestamptz,
    ADD COLUMN lacks_line boolean NOT NULL DEFAULT false;
CREATE INDEX mail_lacks_line ON mail (id) WHERE lacks_line;
GRANT UPDATE (refused_since) ON mail TO esupport_app;

-- What becomes of a message whose owner's data is deleted, whoever deletes it. One that waits is taken back. One that the
-- mail server is being given at this moment cannot be: it stays in the queue, without its address, and the worker that
-- gave it records how it ended (the next one, if that one dies).
CREATE FUNCTION settle_erased_mail() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
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
END $$;
REVOKE ALL ON FUNCTION settle_erased_mail() FROM PUBLIC;
CREATE TRIGGER mail_erased BEFORE UPDATE ON mail FOR EACH ROW
    WHEN (OLD.to_address IS NOT NULL AND NEW.to_address IS NULL) EXECUTE FUNCTION settle_erased_mail();
