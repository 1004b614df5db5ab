ALTER TABLE orders ADD COLUMN parent_id BIGINT UNSIGNED NULL, ADD CONSTRAINT fk_orders_parent FOREIGN KEY (parent_id) REFERENCES orders (id);
