-- Licences issued anew, unpaid orders cancelled, and what the customer's page reads.

-- Whoever may act puts a new code in place of one that was compromised: adds one that is not deleted, and marks the old one.
DROP POLICY IF EXISTS issued ON activation_code;
CREATE POLICY issued ON activation_code FOR INSERT TO esupport_app
    WITH CHECK (checkout_page_id = ANY ((SELECT viewer_page_ids())::integer[]) AND (SELECT viewer_may_act())
        AND issued_at IS NOT NULL AND NOT deleted);
DROP POLICY IF EXISTS replaced ON activation_code;
CREATE POLICY replaced ON activation_code FOR UPDATE TO esupport_app
    USING (checkout_page_id = ANY ((SELECT viewer_page_ids())::integer[]) AND (SELECT viewer_may_act()))
    WITH CHECK (deleted AND replaced_at IS NOT NULL);
GRANT INSERT (order_id, position, number, checkout_page_id, code, issued_at), UPDATE (replaced_at)
    ON activation_code TO esupport_app;
GRANT UPDATE (cancelled_at) ON orders TO esupport_app;

-- A further kind of action that a shop confirms.
ALTER TABLE awaited_action DROP CONSTRAINT IF EXISTS awaited_action_kind_check;
ALTER TABLE awaited_action DROP CONSTRAINT IF EXISTS awaited_action_kind_known;
ALTER TABLE awaited_action ADD CONSTRAINT awaited_action_kind_known
    CHECK (kind IN ('cancel subscription', 'resume subscription', 'refund', 'reissue licence'));
