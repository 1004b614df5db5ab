DROP EVENT sweep_audit_log;
