-- The kinds of messages: db/schema/statuses.py names them, and no others are written.

-- NOT VALID: rows that are added are checked from now on, and no table is read while it is locked. The migration
-- validates afterwards, where older rows allow it.
ALTER TABLE mail ADD CONSTRAINT mail_kind_known CHECK (kind IN ({kinds})) NOT VALID;
