CREATE TABLE projects (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    account_id BIGINT UNSIGNED NOT NULL,
    name VARCHAR(50) NOT NULL,
    code VARCHAR(20) NULL,
    state ENUM('open', 'closed') NOT NULL DEFAULT 'open',
    priority INT NULL,
    title VARCHAR(60) CHARACTER SET latin1 NULL,
    KEY idx_projects_account (account_id),
    CONSTRAINT fk_projects_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
) CHARACTER SET utf8mb4;
