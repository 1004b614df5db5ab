CREATE OR REPLACE VIEW first_open_projects AS SELECT name FROM open_projects WHERE id < 10;
