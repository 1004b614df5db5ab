UPDATE invoices SET due_on = issued_on + INTERVAL 14 DAY WHERE due_on IS NULL AND status <> 'draft';
