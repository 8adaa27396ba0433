CREATE OR REPLACE FUNCTION public.pause_of(from_network text)
 RETURNS interval
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    failures bigint;
    latest timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('esupport sign-in ' || from_network, 0));
    SELECT count(*), max(begun_at) INTO failures, latest FROM sign_in_attempt
    WHERE network = from_network AND state IN ('begun', 'wrong') AND begun_at > now() - interval '15 minutes';
    IF failures < 15 THEN
        RETURN interval '0';
    END IF;
    RETURN greatest(interval '0', latest + least(failures - 14, 12) * interval '5 seconds' - clock_timestamp());
END $function$;
