ALTER TABLE projects ADD INDEX idx_projects_state (state, priority);
