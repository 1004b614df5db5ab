ALTER TABLE invoices MODIFY status ENUM('draft','open','paid','void','reminded') NOT NULL DEFAULT 'draft';
