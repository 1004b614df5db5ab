ALTER TABLE projects DROP COLUMN opened_at;
