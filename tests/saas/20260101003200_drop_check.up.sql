ALTER TABLE invoices DROP CONSTRAINT ck_invoices_due;
