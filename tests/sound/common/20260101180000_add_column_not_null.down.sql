ALTER TABLE projects DROP COLUMN is_public;
