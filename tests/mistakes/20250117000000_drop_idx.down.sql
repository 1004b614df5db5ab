ALTER TABLE orders ADD INDEX idx_orders_account (account_id), ADD INDEX idx_orders_status (status, paid_at);
