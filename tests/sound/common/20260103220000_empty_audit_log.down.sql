DO 0;
UPDATE audit_log SET kind = kind;
