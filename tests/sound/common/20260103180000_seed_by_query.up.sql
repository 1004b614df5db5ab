INSERT INTO settings (name, scope, value) SELECT 'n_projects', 1, COUNT(*) FROM projects;
