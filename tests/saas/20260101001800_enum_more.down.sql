ALTER TABLE invoices MODIFY status ENUM('draft','open','paid','void') NOT NULL DEFAULT 'draft';
