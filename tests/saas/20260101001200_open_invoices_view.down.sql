DROP VIEW open_invoices;
