-- The few doors in the wall: what must happen before anybody is signed in, what a customer may see, and the
-- one search that no index can serve under row-level security. Each checks its own condition.

-- What the sign-in form needs to check a password. No row for an unknown login.
CREATE FUNCTION account_to_check(login text)
    RETURNS TABLE (id integer, password_hash text, may_sign_in boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT id, password_hash, disabled_at IS NULL AND coalesce(locked_until <= now(), true)
    FROM account WHERE email_key = fold(login)
$$;

-- Counts one failed sign-in; the fifth in a row locks the account for 15 minutes. Attempts during a lock are
-- recorded and do not prolong it.
CREATE FUNCTION record_failed_sign_in(login text, from_address text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    found_id integer;
    found_email text;
    locked boolean := false;
BEGIN
    UPDATE account SET
        failed_sign_ins = CASE WHEN coalesce(locked_until <= now(), true)
            THEN (CASE WHEN locked_until IS NULL THEN failed_sign_ins ELSE 0 END) + 1 ELSE failed_sign_ins END,
        locked_until = CASE
            WHEN locked_until > now() THEN locked_until
            WHEN (CASE WHEN locked_until IS NULL THEN failed_sign_ins ELSE 0 END) + 1 >= 5
                THEN now() + interval '15 minutes' END
    WHERE email_key = fold(login)
    RETURNING id, email, locked_until IS NOT NULL INTO found_id, found_email, locked;
    -- An unknown login is often a password typed into the wrong field: it is not kept.
    INSERT INTO audit_log (account_id, account_email, action, address, succeeded, details)
    VALUES (found_id, found_email, 'sign in', left(from_address, 100), false,
        jsonb_build_object('reason', CASE WHEN found_id IS NULL THEN 'unknown login'
            WHEN locked THEN 'locked' ELSE 'refused' END));
END $$;

-- Opens a session for an account whose password was just checked. False when it was disabled or locked meanwhile.
CREATE FUNCTION open_account_session(for_account integer, digest bytea, valid_for interval, from_address text)
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    found_email text;
BEGIN
    UPDATE account SET failed_sign_ins = 0, locked_until = NULL
    WHERE id = for_account AND disabled_at IS NULL AND coalesce(locked_until <= now(), true)
    RETURNING email INTO found_email;
    IF found_email IS NULL THEN
        RETURN false;
    END IF;
    INSERT INTO account_session (token_digest, account_id, expires_at, address)
    VALUES (digest, for_account, now() + valid_for, left(from_address, 100));
    INSERT INTO audit_log (account_id, account_email, action, address)
    VALUES (for_account, found_email, 'sign in', left(from_address, 100));
    RETURN true;
END $$;

-- The account behind a live session; no row when it has ended, expired, or its account was disabled.
CREATE FUNCTION account_of_session(digest bytea)
    RETURNS TABLE (id integer, email text, name text, role text, must_change_password boolean, time_zone text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT a.id, a.email, a.name, a.role, a.must_change_password, a.time_zone
    FROM account_session s JOIN account a ON a.id = s.account_id
    WHERE s.token_digest = digest AND s.ended_at IS NULL AND s.expires_at > now() AND a.disabled_at IS NULL
$$;

CREATE FUNCTION end_account_session(digest bytea, from_address text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    WITH ended AS (
        UPDATE account_session SET ended_at = now(), ended_because = 'signed out'
        WHERE token_digest = digest AND ended_at IS NULL
        RETURNING account_id
    )
    INSERT INTO audit_log (account_id, account_email, action, address)
    SELECT a.id, a.email, 'sign out', left(from_address, 100) FROM ended JOIN account a ON a.id = ended.account_id;
END $$;

-- Sets the viewer's own password and ends every session of theirs but the one named by digest.
CREATE FUNCTION change_own_password(new_hash text, kept_digest bytea, from_address text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    found_email text;
BEGIN
    UPDATE account SET password_hash = new_hash, must_change_password = false
    WHERE id = viewer_id() AND disabled_at IS NULL
    RETURNING email INTO found_email;
    IF found_email IS NULL THEN
        RAISE EXCEPTION 'no viewer' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE account_session SET ended_at = now(), ended_because = 'password changed'
    WHERE account_id = viewer_id() AND ended_at IS NULL AND token_digest IS DISTINCT FROM kept_digest;
    INSERT INTO audit_log (account_id, account_email, action, address)
    VALUES (viewer_id(), found_email, 'change password', left(from_address, 100));
END $$;

CREATE FUNCTION set_own_time_zone(zone text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$ UPDATE account SET time_zone = zone WHERE id = viewer_id() AND disabled_at IS NULL $$;

-- The key that signs cookies: made by whoever asks first, the same for every process afterwards.
CREATE FUNCTION cookie_key() RETURNS bytea
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO portal_secret (name, value)
    SELECT 'cookie', uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
    WHERE NOT EXISTS (SELECT FROM portal_secret WHERE name = 'cookie')
    ON CONFLICT DO NOTHING;
    RETURN (SELECT value FROM portal_secret WHERE name = 'cookie');
END $$;

-- A colleague's saved search: anybody who is signed in and has its key may open it.
CREATE FUNCTION open_saved_search(wanted text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    found jsonb;
BEGIN
    IF viewer_role() IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE saved_search SET last_opened_at = now() WHERE key = wanted RETURNING filters INTO found;
    RETURN found;
END $$;

-- The viewer's orders with a code that contains the fragment. LIKE is not leakproof, so under row-level security
-- no index would be used for it; here the scope is part of the statement.
CREATE FUNCTION orders_with_code(fragment text) RETURNS SETOF bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT DISTINCT order_id FROM activation_code
    WHERE code_key LIKE '%' || replace(replace(replace(fold(fragment), '\', '\\'), '%', '\%'), '_', '\_') || '%'
        AND checkout_page_id = ANY (viewer_page_ids())
$$;

-- What the customer who holds the order's unguessable address may see: items, status and documents, and their own
-- licence codes while the order is paid. After erasure nothing at all. NULL for an unknown key.
CREATE FUNCTION customer_order(key uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT jsonb_build_object(
        'order_name', o.order_name, 'status', o.status, 'delivered', o.delivered, 'refund_status', o.refund_status,
        'created_at', o.created_at, 'paid_at', o.paid_at, 'currency', o.currency, 'total', o.total::text,
        'items', (SELECT jsonb_agg(jsonb_build_object(
                'position', i.position, 'name', i.name, 'quantity', i.quantity, 'amount', i.amount::text,
                'delivered', i.delivered, 'refunded', i.refunded,
                'codes', CASE WHEN o.status = 'paid' THEN coalesce((SELECT jsonb_agg(c.code ORDER BY c.number)
                    FROM activation_code c WHERE c.order_id = o.order_id AND c.position = i.position
                        AND NOT c.deleted), '[]') ELSE '[]' END) ORDER BY i.position)
            FROM order_item i WHERE i.order_id = o.order_id),
        'documents', coalesce((SELECT jsonb_agg(jsonb_build_object('id', d.id, 'name', d.name, 'kind', d.kind)
                ORDER BY d.id) FROM order_document d WHERE d.order_id = o.order_id), '[]'))
    FROM orders o WHERE o.page_key = key AND NOT o.customer_erased
$$;

CREATE FUNCTION customer_document(key uuid, document bigint)
    RETURNS TABLE (name text, media_type text, content bytea)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT d.name, d.media_type, d.content FROM order_document d JOIN orders o ON o.order_id = d.order_id
    WHERE o.page_key = key AND NOT o.customer_erased AND d.id = document
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON FUNCTION account_to_check(text), record_failed_sign_in(text, text),
    open_account_session(integer, bytea, interval, text), account_of_session(bytea), end_account_session(bytea, text),
    change_own_password(text, bytea, text), set_own_time_zone(text), cookie_key(), open_saved_search(text),
    orders_with_code(text), customer_order(uuid), customer_document(uuid, bigint) TO esupport_app;
