CREATE TABLE invoices (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    customer_id BIGINT UNSIGNED NOT NULL,
    number VARCHAR(32) NOT NULL,
    issued_on DATE NOT NULL,
    due_on DATE NULL,
    net DECIMAL(12,2) NOT NULL DEFAULT 0.00,
    tax DECIMAL(12,2) NOT NULL DEFAULT 0.00,
    gross DECIMAL(12,2) AS (net + tax) VIRTUAL,
    status ENUM('draft','open','paid','void') NOT NULL DEFAULT 'draft',
    PRIMARY KEY (id),
    UNIQUE KEY uq_invoices_number (number),
    KEY idx_invoices_customer_status (customer_id, status),
    CONSTRAINT ck_invoices_due CHECK (due_on IS NULL OR due_on >= issued_on),
    CONSTRAINT fk_invoices_customer FOREIGN KEY (customer_id) REFERENCES customers (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
