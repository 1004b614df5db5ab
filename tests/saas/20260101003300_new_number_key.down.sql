ALTER TABLE invoices DROP INDEX uq_invoices_customer_number, ADD UNIQUE KEY uq_invoices_number (number);
