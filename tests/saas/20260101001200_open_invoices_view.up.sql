CREATE OR REPLACE SQL SECURITY INVOKER VIEW open_invoices AS
SELECT i.id, i.number, c.name, i.gross FROM invoices i JOIN customers c ON c.id = i.customer_id WHERE i.status = 'open';
