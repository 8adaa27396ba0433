-- The words of the audit log: db/schema/audit_actions.py names them, and no others are written.

-- NOT VALID: rows that are added are checked from now on, and no table is read while it is locked. The migration
-- validates afterwards, where older rows allow it.
ALTER TABLE audit_log ADD CONSTRAINT audit_log_action_known CHECK (action IN ({actions})) NOT VALID;
ALTER TABLE action_key ADD CONSTRAINT action_key_action_known CHECK (action IN ({actions})) NOT VALID;
