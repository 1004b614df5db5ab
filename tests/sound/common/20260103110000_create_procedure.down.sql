DROP PROCEDURE close_projects;
