DROP INDEX idx_documents_body ON documents;
