DELETE FROM audit_log WHERE action = 'migrated';
