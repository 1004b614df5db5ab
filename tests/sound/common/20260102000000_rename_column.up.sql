ALTER TABLE audit_log RENAME COLUMN what TO action;
