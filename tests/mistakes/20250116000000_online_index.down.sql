DROP INDEX idx_orders_total ON orders;
