ALTER TABLE documents DROP COLUMN n_bytes;
