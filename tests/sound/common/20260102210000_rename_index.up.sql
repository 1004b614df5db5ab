ALTER TABLE accounts RENAME INDEX idx_accounts_name TO idx_accounts_by_name;
