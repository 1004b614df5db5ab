DROP TRIGGER projects_named;
