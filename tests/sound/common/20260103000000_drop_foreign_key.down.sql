ALTER TABLE documents ADD CONSTRAINT fk_documents_project FOREIGN KEY (project_id) REFERENCES projects (id);
