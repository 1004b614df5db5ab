ALTER TABLE audit_log RENAME COLUMN action TO what;
