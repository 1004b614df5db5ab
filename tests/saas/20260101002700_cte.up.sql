WITH late AS (SELECT id FROM invoices WHERE due_on < '2025-01-01' AND status = 'open')
UPDATE invoices JOIN late ON late.id = invoices.id SET invoices.status = 'reminded';
