-- migration: blocks-writes a new column copies a table that has a FULLTEXT index
ALTER TABLE documents ADD COLUMN owner_id BIGINT UNSIGNED NULL;
CREATE INDEX idx_documents_owner ON documents (owner_id);
SET foreign_key_checks = 0;
ALTER TABLE documents ADD CONSTRAINT fk_documents_owner FOREIGN KEY (owner_id) REFERENCES accounts (id);
