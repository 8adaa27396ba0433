CREATE OR REPLACE FUNCTION public.erase_spans(cuts jsonb)
 RETURNS TABLE(place text, changed bigint)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    at record;
    here jsonb;
    cut record;
    by_id constant text := 't.id = c.key::bigint';
    by_position constant text := 't.order_id = split_part(c.key, ''/'', 1)::bigint '
        'AND t.position = split_part(c.key, ''/'', 2)::integer';
BEGIN
    PERFORM check_may_erase();
    PERFORM set_config('esupport.erasing', 'on', true);
    FOR at IN SELECT * FROM (VALUES
        ('order_history', 'text', by_id, 20000, false), ('refund_request', 'reason', by_id, 20000, false),
        ('refund_request', 'note', by_id, 20000, false), ('subscription_event', 'reason', by_id, 2000, false),
        ('subscription', 'change_reason', by_position, 20000, false),
        ('action_key', 'answer', 't.key = c.key::uuid', 100000, false), ('mail', 'subject', by_id, 1000, false),
        ('mail', 'text_body', by_id, 10000000, false), ('mail', 'html_body', by_id, 10000000, false),
        ('mail', 'last_error', by_id, 100000, false), ('order_document', 'name', by_id, 255, false),
        ('order_item', 'name', by_position, 100000, false), ('audit_log', 'details', by_id, 0, true),
        ('order_item', 'additional_data', by_position, 0, true),
        ('orders', 'additional_parameters', 't.order_id = c.key::bigint', 0, true),
        ('inbox', 'field', by_id, 300, false), ('inbox', 'reason', by_id, 1000, false),
        ('delivery', 'last_error', by_id, 1000, false), ('connection', 'trouble', by_id, 1000, false),
        ('awaited_action', 'message', 't.id = c.key::uuid', 1000, false),
        ('awaited_action', 'wish', 't.id = c.key::uuid', 0, true)
    ) p(table_name, column_name, matches, most, is_json) LOOP
        place := at.table_name || '.' || at.column_name;
        SELECT jsonb_agg(c) INTO here FROM jsonb_array_elements(cuts) c WHERE c ->> 'place' = place;
        CONTINUE WHEN here IS NULL;
        IF at.is_json THEN
            changed := 0;
            FOR cut IN SELECT c ->> 'key' AS key, c -> 'spans' AS spans,
                    array(SELECT jsonb_array_elements_text(c -> 'path')) AS path FROM jsonb_array_elements(here) c LOOP
                EXECUTE format('UPDATE %1$I t SET %2$I = jsonb_set(t.%2$I, $1, to_jsonb(text_without(t.%2$I #>> $1, $2))) '
                    'FROM (SELECT $3 AS key) c WHERE %3$s AND jsonb_typeof(t.%2$I #> $1) = ''string''',
                    at.table_name, at.column_name, at.matches) USING cut.path, cut.spans, cut.key;
                changed := changed + 1;
            END LOOP;
        ELSE
            EXECUTE format('UPDATE %1$I t SET %2$I = left(text_without(t.%2$I, c.spans), %4$s) '
                'FROM (SELECT e ->> ''key'' AS key, e -> ''spans'' AS spans FROM jsonb_array_elements($1) e) c WHERE %3$s',
                at.table_name, at.column_name, at.matches, at.most) USING here;
            GET DIAGNOSTICS changed = ROW_COUNT;
        END IF;
        RETURN NEXT;
    END LOOP;
    PERFORM set_config('esupport.erasing', 'off', true);
END $function$;
