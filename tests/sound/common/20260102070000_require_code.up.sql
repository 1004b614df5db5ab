-- migration: blocks-writes projects are few
-- migration: loses projects.code what was empty gets a code, and keeps it
UPDATE projects SET code = CONCAT('p', id) WHERE code IS NULL;
ALTER TABLE projects MODIFY code VARCHAR(20) NOT NULL;
