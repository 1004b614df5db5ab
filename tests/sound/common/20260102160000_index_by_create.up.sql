CREATE INDEX idx_accounts_name ON accounts (name(20), created_at);
