ALTER TABLE documents DROP FOREIGN KEY fk_documents_owner;
DROP INDEX idx_documents_owner ON documents;
ALTER TABLE documents DROP COLUMN owner_id;
