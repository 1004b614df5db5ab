CREATE TRIGGER projects_named BEFORE INSERT ON projects FOR EACH ROW SET NEW.name = TRIM(NEW.name);
