CREATE VIEW first_open_projects AS SELECT id, name FROM open_projects WHERE id < 20;
