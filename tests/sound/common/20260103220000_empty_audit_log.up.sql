-- migration: loses audit_log it is a log
DELETE FROM audit_log;
