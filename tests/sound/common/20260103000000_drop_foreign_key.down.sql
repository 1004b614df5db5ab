ALTER TABLE documents ADD CONSTRAINT fk_documents_owner FOREIGN KEY (owner_id) REFERENCES accounts (id);
