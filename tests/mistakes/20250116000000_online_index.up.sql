CREATE INDEX idx_orders_total ON orders (total) ALGORITHM=INPLACE LOCK=NONE;
