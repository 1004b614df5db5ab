ALTER TABLE invoices ADD CONSTRAINT ck_invoices_due CHECK (due_on IS NULL OR due_on >= issued_on);
