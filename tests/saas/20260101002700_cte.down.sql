UPDATE invoices SET status = 'open' WHERE status = 'reminded';
