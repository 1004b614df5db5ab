INSERT INTO audit_log (at, action, detail)
SELECT NOW(6), 'migrated', JSON_OBJECT('invoices', COUNT(*)) FROM invoices;
