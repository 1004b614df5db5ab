CREATE TABLE documents (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    project_id BIGINT UNSIGNED NULL,
    body MEDIUMTEXT NOT NULL,
    scan LONGBLOB NULL,
    extra JSON NULL,
    rights SET('read', 'write', 'share') NOT NULL DEFAULT 'read',
    flags BIT(8) NOT NULL DEFAULT b'0',
    weight FLOAT NULL,
    score DOUBLE NULL,
    year_made YEAR NULL,
    opens_at TIME NULL,
    seen_at DATETIME(6) NULL,
    hash BINARY(16) NULL,
    KEY idx_documents_project (project_id)
) CHARACTER SET utf8mb4;
