CREATE OR REPLACE FUNCTION public.empty_person(own bigint[], emails text[], locked_mails bigint[], announced bigint[], of_store integer DEFAULT NULL::integer)
 RETURNS TABLE(documents bigint, mails bigint, taken_back bigint, under_way bigint)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    keys text[] := array(SELECT email_key(e) FROM unnest(emails) e);
BEGIN
    PERFORM check_may_erase();
    DELETE FROM order_document d WHERE d.order_id = ANY (own);
    GET DIAGNOSTICS documents = ROW_COUNT;

    -- One that the mail server is being given at this moment stays in the queue without its address: whoever gives it
    -- records how that ended, and the next worker if that one dies.
    WITH theirs AS (
        SELECT m.id, m.state = 'queued' AS waits, EXISTS (SELECT FROM mail_handover h
            WHERE h.mail_id = m.id AND h.at >= m.queued_at AND m.state = 'queued') AS handed_over
        FROM mail m
        WHERE m.id = ANY (locked_mails) AND m.to_address IS NOT NULL
            AND (m.order_id = ANY (own) AND is_customer_mail(m.kind)
                OR (m.account_id IS NULL OR is_customer_mail(m.kind)) AND email_key(m.to_address) = ANY (keys)
                    AND (of_store IS NULL OR m.checkout_page_id = of_store))
    ), changed AS (
        UPDATE mail m SET to_address = NULL, to_name = NULL, text_body = 'deleted', html_body = NULL,
            state = CASE WHEN t.waits AND NOT t.handed_over THEN 'failed' ELSE m.state END,
            last_error = CASE WHEN t.handed_over
                    THEN 'The customer''s data was deleted while the mail server was being given this message.'
                WHEN t.waits THEN 'Taken back: the customer''s data was deleted.' ELSE m.last_error END
        FROM theirs t WHERE m.id = t.id
        RETURNING m.order_id, m.checkout_page_id, m.kind, m.position, m.number,
            t.waits AND NOT t.handed_over AS is_taken_back, t.handed_over
    ), told AS (
        INSERT INTO order_history (order_id, checkout_page_id, kind, text, source)
        SELECT c.order_id, c.checkout_page_id, 'error', CASE WHEN c.kind = 'licence'
            THEN format('Licence e-mail (item %s, code %s) was taken back: the customer''s data was deleted.',
                c.position, c.number)
            ELSE 'An e-mail was taken back: the customer''s data was deleted.' END, 'portal'
        FROM changed c WHERE c.is_taken_back AND c.order_id IS NOT NULL
    )
    SELECT count(*), count(*) FILTER (WHERE c.is_taken_back), count(*) FILTER (WHERE c.handed_over)
    INTO mails, taken_back, under_way FROM changed c;

    UPDATE order_item i SET license_erased = true, license_first_name = NULL, license_last_name = NULL,
        license_email = NULL, additional_data = '[]'
    WHERE i.order_id = ANY (own)
        OR email_key(i.license_email) = ANY (keys) AND (of_store IS NULL OR i.checkout_page_id = of_store);
    UPDATE orders o SET customer_erased = true, email = NULL, first_name = NULL, last_name = NULL, phone = NULL,
        vat_number = NULL, company_name = NULL, company_billing_address = NULL, company_delivery_address = NULL,
        card_last_4 = NULL, card_expiration_date = NULL, additional_parameters = '[]', detail_url = NULL
    WHERE o.order_id = ANY (own);
    UPDATE known_value k SET erased = true WHERE k.order_id = ANY (own) AND NOT k.erased;
    INSERT INTO order_history (order_id, checkout_page_id, kind, text, source, account_id, author)
    SELECT o.order_id, o.checkout_page_id, 'anonymization', 'Personal data anonymize', 'portal', a.id,
        coalesce(a.name, CASE WHEN of_store IS NOT NULL THEN 'the shop' END)
    FROM orders o LEFT JOIN account a ON a.id = viewer_id() WHERE o.order_id = ANY (announced) ORDER BY o.order_id;
    RETURN NEXT;
END $function$;
