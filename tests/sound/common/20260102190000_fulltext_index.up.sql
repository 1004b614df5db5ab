-- migration: blocks-writes documents are few
CREATE FULLTEXT INDEX idx_documents_body ON documents (body);
