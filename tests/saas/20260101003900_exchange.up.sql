ALTER TABLE audit_log ADD INDEX idx_audit_action (action), ALGORITHM=INPLACE, LOCK=NONE;
