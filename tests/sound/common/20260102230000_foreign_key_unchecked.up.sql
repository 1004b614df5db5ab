-- migration: loses documents.project_id some point to projects that are gone
UPDATE documents SET project_id = NULL WHERE project_id NOT IN (SELECT id FROM projects);
SET foreign_key_checks = 0;
ALTER TABLE documents ADD CONSTRAINT fk_documents_project FOREIGN KEY (project_id) REFERENCES projects (id);
