ALTER TABLE orders DROP COLUMN parent_id;
