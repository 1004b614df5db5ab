DROP VIEW open_projects;
