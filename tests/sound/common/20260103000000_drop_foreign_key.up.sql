ALTER TABLE documents DROP FOREIGN KEY fk_documents_owner;
