ALTER TABLE projects DROP INDEX idx_projects_state;
