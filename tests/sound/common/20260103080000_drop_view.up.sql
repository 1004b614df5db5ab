DROP VIEW first_open_projects;
