CREATE TEMPORARY TABLE t_ids AS SELECT id FROM invoices WHERE status = 'void';
DELETE FROM invoice_lines WHERE invoice_id IN (SELECT id FROM t_ids);
DROP TEMPORARY TABLE t_ids;
