ALTER TABLE audit_log MODIFY at DATETIME(3) NULL COMMENT 'UTC; to the millisecond';
