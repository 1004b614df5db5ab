-- migration: blocks-writes documents are few
ALTER TABLE documents ADD COLUMN n_bytes INT AS (LENGTH(body)) STORED;
